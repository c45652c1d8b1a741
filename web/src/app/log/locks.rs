//! Which answers are being written right now, in any tab? A Web Lock is held for each: the browser
//! lets go of it when its tab dies, so an abandoned draft is told from a live one.

use std::collections::BTreeSet;

use js_sys::{Array, Function, Promise, Reflect};
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::browser::window;

const PREFIX: &str = "portico-answer-";

/// Held while this tab writes an answer.
pub struct AnswerLock {
    release: Function,
}

impl AnswerLock {
    pub fn hold(message: Uuid) -> Option<Self> {
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let release = release?;
        let callback = Closure::once_into_js(move |_lock: JsValue| held);
        let (locks, request) = method("request")?;
        // Its promise ends with the lock; that it is held matters to other tabs only.
        request.call2(&locks, &format!("{PREFIX}{message}").into(), &callback).ok()?;
        Some(Self { release })
    }
}

impl Drop for AnswerLock {
    fn drop(&mut self) {
        self.release.call0(&JsValue::UNDEFINED).ok();
    }
}

/// Answers that some tab is writing.
pub async fn held_answers() -> BTreeSet<Uuid> {
    let Some((locks, query)) = method("query") else { return BTreeSet::new() };
    let Ok(asked) = query.call0(&locks) else { return BTreeSet::new() };
    let Ok(snapshot) = JsFuture::from(Promise::from(asked)).await else { return BTreeSet::new() };
    let held = Reflect::get(&snapshot, &"held".into()).unwrap_or_default();
    let held = Array::from(&held);
    let names = held.iter().filter_map(|lock| {
        let name = Reflect::get(&lock, &"name".into()).ok()?.as_string()?;
        Uuid::try_parse(name.strip_prefix(PREFIX)?).ok()
    });
    names.collect()
}

/// `navigator.locks` and a method of it; None where the address is not secure. By name, for web-sys
/// counts this interface among the unstable ones.
fn method(name: &str) -> Option<(JsValue, Function)> {
    let locks = Reflect::get(&window()?.navigator(), &"locks".into()).ok()?;
    let method = Reflect::get(&locks, &name.into()).ok()?.dyn_into().ok()?;
    Some((locks, method))
}
