//! Web Locks: who leads, and who is still alive?
//!
//! Declared here because web-sys counts them among the unstable interfaces.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::scope::{log_error, scope};

#[wasm_bindgen]
extern "C" {
    type LockManager;

    #[wasm_bindgen(method)]
    fn request(this: &LockManager, name: &str, granted: &js_sys::Function) -> Promise;
}

/// Waits in line for the lock `name`; once it is ours calls `granted` and holds the lock until the
/// worker ends. False: this browser has no locks.
pub fn hold_for_life(name: &str, granted: impl FnOnce() + 'static) -> bool {
    wait_for(name, granted, true)
}

/// Calls `freed` once nobody holds `name` any more.
pub fn when_free(name: &str, freed: impl FnOnce() + 'static) -> bool {
    wait_for(name, freed, false)
}

fn wait_for(name: &str, granted: impl FnOnce() + 'static, keep: bool) -> bool {
    let navigator = scope().navigator();
    let Ok(locks) = js_sys::Reflect::get(&navigator, &"locks".into()) else { return false };
    if locks.is_undefined() {
        return false;
    }
    let locks: LockManager = locks.unchecked_into();
    let callback = Closure::once_into_js(move |_lock: JsValue| -> JsValue {
        granted();
        if keep {
            // A promise that never settles keeps the lock.
            Promise::new(&mut |_, _| {}).into()
        } else {
            JsValue::UNDEFINED
        }
    });
    let request = locks.request(name, callback.unchecked_ref());
    let name = name.to_owned();
    wasm_bindgen_futures::spawn_local(async move {
        if let Err(error) = wasm_bindgen_futures::JsFuture::from(request).await {
            log_error(&format!("lock {name}: {error:?}"));
        }
    });
    true
}
