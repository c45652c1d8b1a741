//! Who is signed in, and what do the house's rules let them do on this device?
//!
//! On the device this page keeps to them; what the server computes, the server decides.

use leptos::prelude::*;
use portico_shared::openai::Usage;
use portico_web::server_call::{self, http};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use crate::page::Page;
use crate::prefs;

/// Which models may run on this device, in the choices, so that it holds without the server too.
const DEVICE_MODELS: &str = "device-models";
/// In a list: everything.
const ALL: &str = "*";

/// Of `GET /api/session`.
#[derive(Deserialize)]
pub struct Session {
    pub person: Option<Person>,
    /// Null: nothing without signing in.
    may: Option<May>,
    house: House,
}

#[derive(Deserialize)]
pub struct Person {
    pub id: Uuid,
    name: String,
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct May {
    models_on_device: Vec<String>,
}

#[derive(Deserialize)]
struct House {
    audit_device_use: bool,
}

impl Person {
    /// As others call them.
    pub fn shown(self) -> String {
        self.display_name.filter(|name| !name.is_empty()).unwrap_or(self.name)
    }
}

/// None where the server cannot be asked.
pub async fn ask() -> Option<Session> {
    let answer = http::fetch("GET", "/api/session", None, &[], None).await.ok()?;
    serde_json::from_str(&server_call::text(&answer).await.ok()?).ok()
}

/// Keeps to what the house says.
pub fn heed(page: Page, session: &Session) {
    let models = session.may.as_ref().map(|may| may.models_on_device.clone()).unwrap_or_default();
    let models = Some(models).filter(|models| !models.iter().any(|name| name == ALL));
    let kept = models.as_ref().and_then(|models| serde_json::to_string(models).ok());
    prefs::set(DEVICE_MODELS, kept.as_deref());
    page.device_models.set(models);
    page.counts_device_use.set(session.house.audit_device_use);
}

/// As the server said it last; none: all models.
pub fn device_models() -> Option<Vec<String>> {
    prefs::get(DEVICE_MODELS).and_then(|kept| serde_json::from_str(&kept).ok())
}

/// Counts what ran on this device, where the house says so: tokens, and nothing else.
pub fn count(page: Page, model: &str, usage: Usage) {
    if !page.counts_device_use.get_untracked() {
        return;
    }
    let body = json!({
        "model": model,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
    });
    spawn_local(async move {
        let body = body.to_string();
        // Without a network it is not counted.
        http::fetch("POST", "/api/audit/device-use", Some(&body), &[], None).await.ok();
    });
}
