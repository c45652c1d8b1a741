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
        let locks = window()?.navigator().locks();
        // Its promise ends with the lock; that it is held matters to other tabs only.
        let _ended = locks
            .request_with_callback(&format!("{PREFIX}{message}"), callback.unchecked_ref());
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
    let Some(window) = window() else { return BTreeSet::new() };
    let query = window.navigator().locks().query();
    let Ok(snapshot) = JsFuture::from(query).await else { return BTreeSet::new() };
    let held = Reflect::get(&snapshot, &"held".into()).unwrap_or_default();
    let names = Array::from(&held).iter().filter_map(|lock| {
        let name = Reflect::get(&lock, &"name".into()).ok()?.as_string()?;
        Uuid::try_parse(name.strip_prefix(PREFIX)?).ok()
    });
    names.collect()
}
