//! Formulas and colours as a Wasm of their own (`web/js/render_entry.js`): most conversations have
//! neither.

use portico_render::{code, maths};
use wasm_bindgen::prelude::*;

fn main() {}

/// Where a code's colours begin and end: `[class, start, end, class, start, …]` in UTF-16 units; none for
/// a language that is not known.
#[wasm_bindgen]
pub fn highlight(language: &str, text: &str) -> Option<Vec<u32>> {
    let spans = code::spans(language, text)?;
    Some(spans.iter().flat_map(|span| [span.class as u32, span.start, span.end]).collect())
}

/// The names of the classes, by their number.
#[wasm_bindgen]
pub fn classes() -> Vec<String> {
    code::Class::NAMES.iter().map(|name| (*name).to_owned()).collect()
}

/// A formula as JSON, `[name, {attribute: value}, [child or text, …]]`; none for one that is not understood.
#[wasm_bindgen]
pub fn formula(tex: &str, is_block: bool) -> Option<String> {
    maths::formula(tex, is_block).ok().map(|node| node.to_json().to_string())
}
