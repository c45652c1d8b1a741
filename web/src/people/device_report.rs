//! What can this device do, and does its person want the house to know? Once a month at most, in classes that
//! many devices share (`portico_people::devices`).

use js_sys::{Function, Promise, Reflect};
use portico_page::fit::{DeviceFacts, fit};
use portico_people::devices::{Report, Seen, month_from_ms};
use portico_shared::catalogue::CatalogueView;
use portico_shared::error::ApiError;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Storage;

use crate::api::{self, Anything};

/// In this browser: the month of the last report. The page asks for the next one by it
/// (`web/src/app/session.rs`). None: nothing is to be said.
const CHOICE: &str = "portico.device-say";
/// Before the first.
const NEVER: &str = "never";

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

fn last() -> Option<String> {
    storage()?.get_item(CHOICE).ok()?
}

fn keep(month: &str) {
    if let Some(storage) = storage() {
        storage.set_item(CHOICE, month).ok();
    }
}

pub fn is_wanted() -> bool {
    last().is_some()
}

/// The person decides; a report that is due goes at once.
pub fn choose(is_wanted: bool) {
    match (is_wanted, storage()) {
        (true, _) if last().is_none() => {
            keep(NEVER);
            wasm_bindgen_futures::spawn_local(say_if_due());
        }
        (false, Some(storage)) => {
            storage.remove_item(CHOICE).ok();
        }
        _ => {}
    }
}

/// Says it, unless it was said this month or is not wanted.
pub async fn say_if_due() {
    let month = month_from_ms(js_sys::Date::now());
    let Some(before) = last().filter(|last| *last != month) else { return };
    // Another tab is not to say it too.
    keep(&month);
    if let Err(error) = say().await {
        // It is tried again when the page is next opened.
        web_sys::console::warn_1(&format!("portico: {}", error.code.as_str()).into());
        keep(&before);
    }
}

async fn say() -> Result<(), ApiError> {
    let seen = seen().await;
    let view: CatalogueView = api::get("/api/catalogue").await?;
    let facts = DeviceFacts {
        webgpu: Some(seen.has_gpu),
        memory_bytes: seen.memory_gib.map(|gib| (gib * f64::from(1 << 30)) as u64),
        free_storage_bytes: None,
    };
    let runs = view.models.iter().filter(|model| fit(model, facts, false).runs());
    let report = Report::new(&seen, runs.map(|view| view.model.id.clone()).collect());
    api::send::<Anything>("POST", "/api/usage/devices", &report).await.map(|_| ())
}

fn value(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

fn method(of: &JsValue, name: &str) -> Option<Function> {
    value(of, name)?.dyn_into().ok()
}

async fn adapter(navigator: &JsValue) -> Option<JsValue> {
    let gpu = value(navigator, "gpu")?;
    let asked: Promise = method(&gpu, "requestAdapter")?.call0(&gpu).ok()?.dyn_into().ok()?;
    JsFuture::from(asked).await.ok().filter(|adapter| !adapter.is_null() && !adapter.is_undefined())
}

async fn seen() -> Seen {
    let Some(window) = web_sys::window() else { return Seen::default() };
    let navigator = JsValue::from(window.navigator());
    let memory_gib = value(&navigator, "deviceMemory").and_then(|gib| gib.as_f64());
    let Some(adapter) = adapter(&navigator).await else {
        return Seen { memory_gib, ..Seen::default() };
    };
    let has = |feature: &str| {
        value(&adapter, "features")
            .and_then(|features| method(&features, "has")?.call1(&features, &feature.into()).ok())
            .is_some_and(|has| has.is_truthy())
    };
    let vendor = value(&adapter, "info").and_then(|info| value(&info, "vendor")?.as_string());
    let buffer_bytes =
        value(&adapter, "limits").and_then(|limits| value(&limits, "maxBufferSize")?.as_f64());
    Seen {
        has_gpu: true,
        vendor: vendor.unwrap_or_default(),
        memory_gib,
        f16: has("shader-f16"),
        subgroups: has("subgroups"),
        buffer_bytes: buffer_bytes.unwrap_or_default(),
    }
}
