//! Requests that only the server answers.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::js::{error_from, internal};
use crate::server_call;

/// A promise of the answer to `request` at `path`.
pub fn ask(path: &'static str, request: &JsValue) -> JsValue {
    let body = js_sys::JSON::stringify(request).ok().and_then(|json| json.as_string());
    future_to_promise(async move {
        let answer = server_call::json(path, &body.unwrap_or_default()).await;
        let json = answer.map_err(|error| error_from(&error))?;
        js_sys::JSON::parse(&json).map_err(|error| error_from(&internal(format!("{error:?}"))))
    })
    .into()
}
