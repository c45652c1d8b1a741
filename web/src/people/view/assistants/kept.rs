//! What goes between these views, the conversations' page and files: a draft, a start, an export.

use portico_page::assistants::{Assistant, exported, file_name};
use portico_shared::assistant::Definition;
use serde_json::{Map, Value, json};
use wasm_bindgen::prelude::*;

use super::NEW;
use crate::state::People;

/// How the next new conversation is answered, as `web/src/app/prefs.rs` keeps it.
const NEXT: &str = "portico.answers.new";
/// A definition that the next new assistant begins with.
const DRAFT: &str = "portico.assistant-draft";

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// A new conversation with the assistant.
pub fn begin(people: People, assistant: &Assistant) {
    if let Some(storage) = storage() {
        let kept = storage.get_item(NEXT).ok().flatten();
        let kept = kept.and_then(|kept| serde_json::from_str::<Map<String, Value>>(&kept).ok());
        let mut next = kept.unwrap_or_default();
        next.insert("assistant".to_owned(), json!(assistant.in_use()));
        // Refused storage costs the choice: it can be made in the conversation.
        storage.set_item(NEXT, &Value::Object(next).to_string()).ok();
    }
    people.go("#/");
}

/// A new assistant that begins as this one.
pub fn copy(people: People, definition: &Definition) {
    if let Some(storage) = storage() {
        storage.set_item(DRAFT, &json!(definition).to_string()).ok();
    }
    people.go(&format!("#/assistants/{NEW}"));
}

/// What was left by [`copy`], once.
pub fn take_copy() -> Option<Definition> {
    let storage = storage()?;
    let kept = storage.get_item(DRAFT).ok()??;
    storage.remove_item(DRAFT).ok();
    serde_json::from_str(&kept).ok()
}

/// Hands the definition to the person as a file.
///
/// # Errors
/// What the browser refuses.
pub fn save_file(definition: &Definition) -> Result<(), JsValue> {
    let document = web_sys::window().and_then(|window| window.document()).ok_or(JsValue::NULL)?;
    let parts = js_sys::Array::of1(&JsValue::from_str(&exported(definition)));
    let kind = web_sys::BlobPropertyBag::new();
    kind.set_type("application/json");
    let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &kind)?;
    let url = web_sys::Url::create_object_url_with_blob(&blob)?;
    let link: web_sys::HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
    link.set_href(&url);
    link.set_download(&file_name(&definition.name));
    link.click();
    web_sys::Url::revoke_object_url(&url)
}
