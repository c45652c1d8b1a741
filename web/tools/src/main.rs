//! The tools of the device as a Wasm of their own, in a worker (`web/js/tools_entry.js`) that whoever
//! waits too long for it ends.

use portico_tools::{Deadline, Now, call};
use wasm_bindgen::prelude::*;

/// Before this worker is ended from outside.
const PATIENCE_MS: f64 = 2_000.0;

fn main() {}

/// A tool's result; throws why there is none.
#[wasm_bindgen]
pub fn answer(
    name: &str,
    arguments: &str,
    date: String,
    time: String,
    zone: String,
) -> Result<String, JsValue> {
    let deadline = Deadline::new(js_sys::Date::now, js_sys::Date::now() + PATIENCE_MS);
    let now = Now { date, time, zone };
    call(name, arguments, &now, &deadline).map_err(|why| JsValue::from_str(&why))
}
