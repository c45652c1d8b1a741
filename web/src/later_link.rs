//! How does the page get views that are a Wasm of their own, and what do they offer it?

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Of `web/js/start.js`.
    #[wasm_bindgen(js_name = loadViews, catch)]
    pub async fn load_views(name: &str) -> Result<JsValue, JsValue>;

    /// Of the views' module, as the next one.
    pub type Module;
    #[wasm_bindgen(method, catch)]
    pub fn mount(this: &Module, holder: &web_sys::HtmlElement, lang: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn speak(this: &Module, lang: &str) -> Result<(), JsValue>;
    /// Of `people`.
    #[wasm_bindgen(method, catch)]
    pub fn prompts(
        this: &Module,
        holder: &web_sys::HtmlElement,
        input: &web_sys::HtmlTextAreaElement,
        lang: &str,
    ) -> Result<(), JsValue>;
}
