//! Values and errors as scripts see them.

use portico_shared::error::{ApiError, ErrorCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

/// A function of at most two arguments that lives as long as the page.
pub fn function(call: impl Fn(JsValue, JsValue) -> JsValue + 'static) -> JsValue {
    Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(call).into_js_value()
}

/// As [`function`], but the browser may collect it.
pub fn method(call: impl Fn(JsValue) -> JsValue + 'static) -> JsValue {
    Closure::<dyn Fn(JsValue) -> JsValue>::new(call).into_js_value()
}

pub fn set(object: &JsValue, name: &str, value: &JsValue) -> Result<(), JsValue> {
    js_sys::Reflect::set(object, &JsValue::from_str(name), value).map(|_| ())
}

/// By JSON, so that a number is a number and an absent field is absent.
pub fn value_from(value: &impl Serialize) -> Result<JsValue, ApiError> {
    let json = serde_json::to_string(value).map_err(internal)?;
    js_sys::JSON::parse(&json).map_err(|error| internal(format!("{error:?}")))
}

/// Reads what a script passed.
///
/// # Errors
/// `invalid_request` names the field.
pub fn read<T: DeserializeOwned>(value: &JsValue) -> Result<T, ApiError> {
    let json = js_sys::JSON::stringify(value).ok().and_then(|json| json.as_string());
    // JSON knows no `undefined`.
    let json = json.ok_or_else(|| invalid("it is no object"))?;
    serde_json::from_str(&json).map_err(invalid)
}

/// An `Error` with what a script can match on.
pub fn error_from(error: &ApiError) -> JsValue {
    let thrown = js_sys::Error::new(&error.to_string());
    thrown.set_name("PorticoError");
    let fields = [
        ("code", JsValue::from_str(error.code.as_str())),
        ("status", JsValue::from(error.code.status())),
        ("detail", error.detail.as_deref().map_or(JsValue::NULL, JsValue::from_str)),
    ];
    for (name, value) in fields {
        // A fresh object takes any property.
        let _ = set(&thrown, name, &value);
    }
    thrown.into()
}

pub fn internal(cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Internal).detail(cause)
}

pub fn invalid(reason: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest).with("reason", reason)
}
