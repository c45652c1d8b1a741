//! One request to the page's own server, and what its failures are called.

use js_sys::Promise;
use portico_shared::error::{ApiError, ErrorCode};
use serde::Deserialize;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, File, Headers, RequestCache, RequestInit, Response};

/// How the server words an error.
#[derive(Deserialize)]
struct ErrorBody {
    error: ApiError,
}

/// The error that a body is, if it is one.
pub fn error_in(json: &str) -> Option<ApiError> {
    // A chunk of an answer has no such field.
    json.contains("\"error\"")
        .then(|| serde_json::from_str::<ErrorBody>(json).ok())?
        .map(|b| b.error)
}

/// A response that says 2xx.
///
/// # Errors
/// The server's own, else `server_unreachable`.
pub async fn fetch(
    method: &str,
    path: &str,
    body: Option<&str>,
    headers: &[(&str, &str)],
    abort: Option<&AbortSignal>,
) -> Result<Response, ApiError> {
    let init = request(method, body, headers, abort).map_err(|error| unreachable(&error))?;
    answer(path, &init).await
}

/// [`fetch`] with a file's bytes.
///
/// # Errors
/// As [`fetch`].
pub async fn fetch_with_file(method: &str, path: &str, file: &File) -> Result<Response, ApiError> {
    let init = request(method, None, &[], None).map_err(|error| unreachable(&error))?;
    init.set_body(file);
    answer(path, &init).await
}

async fn answer(path: &str, init: &RequestInit) -> Result<Response, ApiError> {
    let window = web_sys::window().ok_or_else(|| ApiError::new(ErrorCode::Internal))?;
    let response = JsFuture::from(window.fetch_with_str_and_init(path, init)).await;
    let response: Response = response.map_err(|error| unreachable(&error))?.unchecked_into();
    if response.ok() {
        return Ok(response);
    }
    let status = response.status();
    let text = super::text(&response).await.unwrap_or_default();
    Err(error_in(&text).unwrap_or_else(|| {
        ApiError::new(ErrorCode::UpstreamFailed).detail(format!("{path}: HTTP {status}"))
    }))
}

fn request(
    method: &str,
    body: Option<&str>,
    headers: &[(&str, &str)],
    abort: Option<&AbortSignal>,
) -> Result<RequestInit, JsValue> {
    let init = RequestInit::new();
    init.set_method(method);
    init.set_cache(RequestCache::NoStore);
    init.set_signal(abort);
    let sent = Headers::new()?;
    // Cannot be sent from another origin without its leave.
    sent.set("portico-page", "1")?;
    if let Some(body) = body {
        sent.set("content-type", "application/json")?;
        init.set_body(&JsValue::from_str(body));
    }
    for (name, value) in headers {
        sent.set(name, value)?;
    }
    init.set_headers(&sent);
    Ok(init)
}

/// The connection's failure, with the browser's words for it.
pub fn unreachable(error: &JsValue) -> ApiError {
    let message = js_sys::Reflect::get(error, &"message".into()).ok();
    let message = message.and_then(|text| text.as_string()).unwrap_or_default();
    ApiError::new(ErrorCode::ServerUnreachable).detail(message)
}

pub async fn sleep_ms(ms: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let window = web_sys::window();
        let set = window.map(|window| {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms)
        });
        if !matches!(set, Some(Ok(_))) {
            // Resolving a promise does not throw.
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    });
    // It is never rejected.
    let _ = JsFuture::from(promise).await;
}
