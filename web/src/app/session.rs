//! Who is signed in, and what do the house's rules let them do on this device?
//!
//! On the device this page keeps to them; what the server computes, the server decides.

use leptos::prelude::*;
use portico_shared::openai::Usage;
use portico_web::later_link::load_views;
use portico_web::server_call::{self, http};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::page::Page;
use crate::prefs;

/// Which models may run on this device, in the choices, so that it holds without the server too.
const DEVICE_MODELS: &str = "device-models";
/// How the house shows itself, in the choices.
const HOUSE_NAME: &str = "house-name";
const HOUSE_LOGO: &str = "house-logo";
/// When this device last said what it can do; none: its person does not want it
/// (`web/src/people/device_report.rs`).
const DEVICE_SAY: &str = "device-say";
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
    role: String,
}

#[derive(Deserialize)]
struct May {
    models_on_device: Vec<String>,
}

#[derive(Deserialize)]
struct House {
    audit_device_use: bool,
    asks_devices: bool,
    name: Option<String>,
    logo: Option<String>,
}

/// How the house shows itself; what is none is Portico's own.
#[derive(Clone, Default, PartialEq)]
pub struct Look {
    pub name: Option<String>,
    /// Where its logo lies.
    pub logo: Option<String>,
}

impl Look {
    /// As the server said it last.
    pub fn kept() -> Self {
        Self { name: prefs::get(HOUSE_NAME), logo: prefs::get(HOUSE_LOGO) }
    }
}

impl Person {
    pub fn is_admin(&self) -> bool {
        self.role == "admin"
    }

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
    let House { audit_device_use, asks_devices, name, logo } = &session.house;
    if *asks_devices {
        say_device_if_due();
    }
    page.counts_device_use.set(*audit_device_use);
    prefs::set(HOUSE_NAME, name.as_deref());
    prefs::set(HOUSE_LOGO, logo.as_deref());
    page.look.set(Look::kept());
}

#[wasm_bindgen]
extern "C" {
    /// The module of the people's views.
    type PeopleModule;
    #[wasm_bindgen(method, catch)]
    fn say_device(this: &PeopleModule) -> Result<(), JsValue>;
}

/// Once a month, where the person wants it: what this device can do. The views that know it are fetched then.
fn say_device_if_due() {
    let today = String::from(js_sys::Date::new_0().to_iso_string());
    if prefs::get(DEVICE_SAY).is_none_or(|month| today.starts_with(&month)) {
        return;
    }
    spawn_local(async {
        if let Ok(module) = load_views("people").await {
            module.unchecked_ref::<PeopleModule>().say_device().ok();
        }
    });
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
