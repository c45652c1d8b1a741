//! The worker's own surroundings: clock, timers, network state, messages to the page.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, StorageManager};

use super::error::JsError;

#[wasm_bindgen]
extern "C" {
    /// Of `web/js/worker_entry.js`: messages that came before the Wasm listened.
    #[wasm_bindgen(js_name = takeEarlyMessages)]
    fn take_early_messages() -> Array;

    /// Of `web/js/worker_entry.js`: tells the page and ends the worker.
    pub fn crash(message: &str);
}

pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds of a steady clock.
pub fn now_ms() -> f64 {
    scope().performance().map_or(0.0, |performance| performance.now())
}

/// Milliseconds since 1970.
pub fn wall_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// Seconds since 1970 on the person's clock on the wall.
pub fn local_wall_s() -> i64 {
    let now = js_sys::Date::new_0();
    (now.get_time() / 1_000.0 - now.get_timezone_offset() * 60.0) as i64
}

/// In 0..1.
pub fn random() -> f64 {
    js_sys::Math::random()
}

pub fn random_u64() -> u64 {
    let half = || (random() * f64::from(u32::MAX)) as u64;
    half() << 32 | half()
}

/// A name that nobody else has.
pub fn fresh_id() -> String {
    match scope().crypto() {
        Ok(crypto) => crypto.random_uuid(),
        Err(_) => format!("{:x}-{:x}", wall_ms(), random_u64()),
    }
}

pub async fn sleep_ms(ms: f64) {
    let timer = Promise::new(&mut |resolve, _| {
        // Refused only while the worker is being shut down; then nothing waits any more.
        let set =
            scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms as i32);
        if set.is_err() {
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    });
    let _ = JsFuture::from(timer).await;
}

pub fn is_online() -> bool {
    scope().navigator().on_line()
}

/// None outside a secure context.
pub fn storage_manager() -> Option<StorageManager> {
    let storage = scope().navigator().storage();
    (!storage.is_undefined()).then_some(storage)
}

/// Whether the page was opened with `?debug`; the page passes it on in the worker's name.
pub fn is_debug() -> bool {
    scope().name().ends_with(" debug")
}

/// Bytes of the Wasm memory.
pub fn wasm_memory_bytes() -> u64 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
    u64::from(buffer.byte_length())
}

/// Calls `receive` for each message of the page, those first that came earlier.
pub fn on_page_message(mut receive: impl FnMut(String) + 'static) {
    let on_message =
        Closure::<dyn FnMut(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            if let Some(json) = event.data().as_string() {
                receive(json);
            }
        });
    let handler: &js_sys::Function = on_message.as_ref().unchecked_ref();
    let early = take_early_messages();
    scope().set_onmessage(Some(handler));
    for data in early.iter() {
        let init = web_sys::MessageEventInit::new();
        init.set_data(&data);
        match web_sys::MessageEvent::new_with_event_init_dict("message", &init) {
            Ok(event) => {
                let _ = handler.call1(&JsValue::UNDEFINED, &event);
            }
            Err(error) => log_error(&format!("early message: {}", JsError::from(error))),
        }
    }
    // Listens as long as the worker lives.
    on_message.forget();
}

pub fn post_to_page(json: &str) {
    if let Err(error) = scope().post_message(&JsValue::from_str(json)) {
        log_error(&format!("message to the page: {}", JsError::from(error)));
    }
}

/// For what no caller is left to hear.
pub fn log_error(text: &str) {
    web_sys::console::error_1(&format!("portico worker: {text}").into());
}

/// SHA-256 by the browser, off this thread.
pub async fn sha256_hex(bytes: &Uint8Array) -> Result<String, JsError> {
    let crypto = scope().crypto()?.subtle();
    let digest = crypto.digest_with_str_and_buffer_source("SHA-256", bytes)?;
    let digest = Uint8Array::new(&JsFuture::from(digest).await?).to_vec();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
