//! Reading other programs' conversations as a Wasm of its own, in a worker (`web/js/exchange_entry.js`)
//! that a cancelled import ends.

use portico_exchange::{Lang, Why, read};
use wasm_bindgen::prelude::*;

fn main() {}

/// One conversation of an export, as JSON, becomes `[id, title, notes, operations…]`; throws why it cannot,
/// in the page's language.
#[wasm_bindgen]
pub fn converted(json: &str, lang: &str) -> Result<Vec<String>, JsValue> {
    let lang = if lang == "de" { Lang::De } else { Lang::En };
    let said = |why: Why| JsValue::from_str(&why.text(lang));
    let read = read(json).map_err(said)?;
    let notes: Vec<String> = read.left_out.iter().map(|left| left.text(lang)).collect();
    let head = [read.id.to_string(), read.title.unwrap_or_default(), notes.join("; ")];
    Ok(head.into_iter().chain(read.ops.iter().map(|op| op.to_json())).collect())
}
