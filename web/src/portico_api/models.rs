//! Which models can a script name?

use portico_shared::catalogue::{CatalogueView, Kind, ModelView, RunsIn};
use portico_shared::error::{ApiError, ErrorCode};
use serde_json::json;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::js::{error_from, internal, value_from};

/// OpenAI's list of models: the chat models that this server has and a browser may run.
pub async fn list() -> Result<JsValue, JsValue> {
    let catalogue = catalogue().await.map_err(|error| error_from(&error))?;
    let can_chat = |view: &&ModelView| {
        view.available && view.model.kind == Kind::Chat && view.model.runs_in(RunsIn::Browser)
    };
    let data: Vec<serde_json::Value> = catalogue
        .models
        .iter()
        .filter(can_chat)
        .map(|view| {
            json!({
                "id": view.model.id,
                "object": "model",
                "created": 0,
                "owned_by": "portico",
                "portico": view,
            })
        })
        .collect();
    value_from(&json!({ "object": "list", "data": data })).map_err(|error| error_from(&error))
}

async fn catalogue() -> Result<CatalogueView, ApiError> {
    let window = web_sys::window().ok_or_else(|| internal("no window"))?;
    let offline = |cause: JsValue| ApiError::new(ErrorCode::Offline).detail(format!("{cause:?}"));
    let response =
        JsFuture::from(window.fetch_with_str("/api/catalogue")).await.map_err(offline)?;
    let response: web_sys::Response = response.unchecked_into();
    if !response.ok() {
        return Err(internal(format!("the catalogue answers {}", response.status())));
    }
    let text = JsFuture::from(response.text().map_err(offline)?).await.map_err(offline)?;
    serde_json::from_str(&text.as_string().unwrap_or_default()).map_err(internal)
}
