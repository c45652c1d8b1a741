//! What the views need of the page's scripts.

use js_sys::{Array, Function, Promise, Uint8Array};
use portico_shared::error::{ApiError, ErrorCode};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "./library_files.js")]
extern "C" {
    /// Called at once: a transfer can be read only while its event lasts.
    #[wasm_bindgen(js_name = filesOf)]
    pub fn files_of(transfer: &JsValue) -> Promise;
    #[wasm_bindgen(js_name = filesOfInput)]
    pub fn files_of_input(input: &JsValue) -> Array;
    #[wasm_bindgen(js_name = sendFile)]
    pub fn send_file(
        url: &str,
        media_type: &str,
        body: &JsValue,
        on_progress: &Function,
        on_end: &Function,
    ) -> Function;
    #[wasm_bindgen(js_name = saveBytes)]
    pub fn save_bytes(name: &str, bytes: &Uint8Array);
    #[wasm_bindgen(js_name = embedOnDevice, catch)]
    pub async fn embed_on_device(
        model: &str,
        texts: Vec<String>,
        kind: &str,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = runnableEmbedder, catch)]
    pub async fn runnable_embedder(id: Option<&str>) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = chooseEmbedder, catch)]
    pub fn choose_embedder(id: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(js_name = deviceEmbedder, catch)]
    pub async fn device_embedder() -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(raw_module = "./library_pdf.js")]
extern "C" {
    #[wasm_bindgen(js_name = openPdf, catch)]
    pub async fn open_pdf(bytes: &Uint8Array) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = pageCount)]
    pub fn page_count(pdf: &JsValue) -> u32;
    #[wasm_bindgen(js_name = closePdf)]
    pub fn close_pdf(pdf: &JsValue);
    #[wasm_bindgen(js_name = showPage, catch)]
    pub async fn show_page(
        pdf: &JsValue,
        number: u32,
        holder: &web_sys::Element,
        passage: &str,
        label: &str,
    ) -> Result<JsValue, JsValue>;
}

/// A file that someone chose, dropped or pasted.
#[derive(Clone)]
pub struct Chosen {
    pub file: web_sys::File,
    /// With the folders that it came in.
    pub path: String,
}

/// The list that the scripts give.
pub fn chosen(list: &JsValue) -> Vec<Chosen> {
    let get = |item: &JsValue, name: &str| js_sys::Reflect::get(item, &name.into()).ok();
    let one = |item: JsValue| {
        let file = get(&item, "file")?.dyn_into::<web_sys::File>().ok()?;
        Some(Chosen { file, path: get(&item, "path")?.as_string()? })
    };
    list.dyn_ref::<Array>().map(|list| list.iter().filter_map(one).collect()).unwrap_or_default()
}

/// The name of what was thrown (`PasswordException`), and what it says.
pub fn thrown(error: &JsValue) -> (String, String) {
    (field(error, "name"), field(error, "message"))
}

/// What `window.portico` threw.
pub fn portico_error(error: &JsValue) -> ApiError {
    let code = serde_json::from_value(field(error, "code").into());
    let error_of = |code| ApiError::new(code).detail(field(error, "message"));
    error_of(code.unwrap_or(ErrorCode::Internal))
}

fn field(error: &JsValue, name: &str) -> String {
    let value = js_sys::Reflect::get(error, &name.into()).ok();
    value.and_then(|value| value.as_string()).unwrap_or_default()
}

pub async fn sleep_ms(ms: i32) {
    let pause = Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms).ok();
        }
    });
    wasm_bindgen_futures::JsFuture::from(pause).await.ok();
}

/// Runs `then` before the next frame is painted.
pub fn next_frame(then: impl FnOnce() + 'static) {
    let callback = Closure::once_into_js(then);
    if let Some(window) = web_sys::window() {
        window.request_animation_frame(callback.unchecked_ref()).ok();
    }
}

pub fn by_id(id: &str) -> Option<web_sys::HtmlElement> {
    web_sys::window()?.document()?.get_element_by_id(id)?.dyn_into().ok()
}

/// Milliseconds on a clock that never jumps.
pub fn monotonic_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |clock| clock.now())
}
