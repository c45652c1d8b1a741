//! What did the browser throw?

use std::fmt;

use wasm_bindgen::{JsCast, JsValue};

/// A thrown value: its name (`QuotaExceededError`) and message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct JsError {
    pub name: String,
    pub message: String,
}

impl JsError {
    /// Storage is full, or may not be used.
    pub fn is_quota(&self) -> bool {
        self.name == "QuotaExceededError"
    }

    /// Another context still holds the file.
    pub fn is_locked(&self) -> bool {
        self.name == "NoModificationAllowedError"
    }

    pub fn is_not_found(&self) -> bool {
        self.name == "NotFoundError"
    }
}

impl fmt::Display for JsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl From<JsValue> for JsError {
    fn from(thrown: JsValue) -> Self {
        // A DOMException is an Error too.
        match thrown.dyn_ref::<js_sys::Error>() {
            Some(error) => Self { name: error.name().into(), message: error.message().into() },
            None => Self { name: "Error".to_owned(), message: format!("{thrown:?}") },
        }
    }
}
