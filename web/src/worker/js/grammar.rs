//! The Wasm that holds answers to their form: fetched when the first request needs it.

use portico_shared::grammar::TokenTable;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Of `web/js/worker_entry.js`.
    #[wasm_bindgen(js_name = loadVocabulary, catch)]
    async fn load_vocabulary(
        fresh: bool,
        bytes: &[u8],
        ends: &[u32],
        end_ids: &[u32],
    ) -> Result<JsValue, JsValue>;

    /// Of `web/grammar`, as the next one.
    pub type Vocabulary;
    #[wasm_bindgen(method, catch)]
    pub fn compile(this: &Vocabulary, grammar: &str) -> Result<Held, JsValue>;

    pub type Held;
    #[wasm_bindgen(method, catch)]
    pub fn allowed(this: &Held) -> Result<Vec<u32>, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn land(this: &Held, id: u32, n_left: u32) -> Result<u32, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn accept(this: &Held, id: u32) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn is_finished(this: &Held) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn free(this: &Held) -> Result<(), JsValue>;
}

/// Fetches the Wasm, if it is not there, and builds the vocabulary in it; `fresh` starts it anew.
///
/// # Errors
/// What the browser throws where it cannot be fetched, or the vocabulary itself.
pub async fn vocabulary(fresh: bool, table: &TokenTable) -> Result<Vocabulary, JsValue> {
    let loaded = load_vocabulary(fresh, &table.bytes, &table.ends, &table.end_ids).await;
    loaded.map(JsCast::unchecked_into)
}
