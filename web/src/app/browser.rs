//! The few things that the page asks of the browser: window, time, chance, downloads.

use std::cell::RefCell;

use uuid::Uuid;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement, Window};

/// What a thrown value says.
pub fn js_error(error: &JsValue) -> String {
    portico_web::log_store::js_string(error)
}

/// The window; the app runs in no other place.
pub fn window() -> Option<Window> {
    web_sys::window()
}

pub fn document() -> Option<Document> {
    window()?.document()
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// Milliseconds on a clock that never jumps.
pub fn monotonic_ms() -> f64 {
    window().and_then(|window| window.performance()).map_or(0.0, |clock| clock.now())
}

/// A new id that sorts by time (UUIDv7).
pub fn new_id() -> Uuid {
    let mut random = [0; 10];
    // Refused only where there is no Web Crypto: then ids still differ by time and by this counter.
    if getrandom04::fill(&mut random).is_err() {
        thread_local!(static COUNTER: RefCell<u64> = const { RefCell::new(0) });
        let count = COUNTER.with_borrow_mut(|count| {
            *count += 1;
            *count
        });
        random[..8].copy_from_slice(&count.to_be_bytes());
    }
    portico_shared::sync::uuid_v7(now_ms(), &random)
}

pub fn by_id(id: &str) -> Option<Element> {
    document()?.get_element_by_id(id)
}

/// Moves the focus to an element.
pub fn focus(id: &str) {
    if let Some(element) = by_id(id).and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Fails only for an element that is gone.
        element.focus().ok();
    }
}

/// Runs `then` after `ms` milliseconds.
pub fn after_ms(ms: i32, then: impl FnOnce() + 'static) {
    let callback = Closure::once_into_js(then);
    if let Some(window) = window() {
        window
            .set_timeout_with_callback_and_timeout_and_arguments_0(callback.unchecked_ref(), ms)
            .ok();
    }
}

/// Runs `then` before the next frame is painted.
pub fn next_frame(then: impl FnOnce() + 'static) {
    let callback = Closure::once_into_js(then);
    if let Some(window) = window() {
        window.request_animation_frame(callback.unchecked_ref()).ok();
    }
}

/// Runs `then` when the browser has nothing else to do.
pub fn when_idle(then: impl FnOnce() + 'static) {
    let callback = Closure::once_into_js(then);
    if let Some(window) = window() {
        let callback = callback.unchecked_ref();
        // Safari knows no idle time.
        if window.request_idle_callback(callback).is_err() {
            window.set_timeout_with_callback(callback).ok();
        }
    }
}

/// Lets the browser paint and take input before going on.
pub async fn breathe() {
    let pause = js_sys::Promise::new(&mut |resolve, _| {
        if let Some(window) = window() {
            window.set_timeout_with_callback(&resolve).ok();
        }
    });
    wasm_bindgen_futures::JsFuture::from(pause).await.ok();
}

/// Calls `handler` for an event of the window as long as the page lives.
pub fn on_window(event: &str, handler: impl FnMut(web_sys::Event) + 'static) {
    let handler = Closure::<dyn FnMut(web_sys::Event)>::new(handler);
    if let Some(window) = window() {
        window.add_event_listener_with_callback(event, handler.as_ref().unchecked_ref()).ok();
    }
    handler.forget();
}

/// Tells whoever listens on the window that something has happened.
pub fn tell(event: &str) {
    if let (Some(window), Ok(event)) = (window(), web_sys::CustomEvent::new(event)) {
        window.dispatch_event(&event).ok();
    }
}

/// Gives a text to the person as a file.
pub fn download(name: &str, mime: &str, text: &str) -> Result<(), JsValue> {
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(mime);
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options)?;
    let url = web_sys::Url::create_object_url_with_blob(&blob)?;
    let document = document().ok_or(JsValue::NULL)?;
    let link: web_sys::HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    web_sys::Url::revoke_object_url(&url)
}

/// Calls back when an element's size has changed, until it is dropped.
pub struct ResizeWatch {
    observer: web_sys::ResizeObserver,
    _changed: Closure<dyn FnMut()>,
}

impl ResizeWatch {
    /// # Errors
    /// What the browser throws.
    pub fn new(elements: &[&Element], changed: impl FnMut() + 'static) -> Result<Self, JsValue> {
        let changed = Closure::<dyn FnMut()>::new(changed);
        let observer = web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref())?;
        for element in elements {
            observer.observe(element);
        }
        Ok(Self { observer, _changed: changed })
    }
}

impl Drop for ResizeWatch {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}
