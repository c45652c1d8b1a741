//! The catalogue, and what the person does with a model.

use std::sync::Arc;

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::route::Choice;
use portico_shared::catalogue::{CatalogueView, Kind};
use portico_web::protocol::{ModelState, ToWorker};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::browser::{js_error, window};
use crate::page::{Catalogue, Page};
use crate::{place, prefs, setup};

/// Fetches the list of models.
pub async fn load_catalogue(page: Page) {
    page.catalogue.set(Catalogue::Loading);
    let loaded = match fetch_text("/api/catalogue").await {
        Ok(json) => serde_json::from_str::<CatalogueView>(&json).map_err(|e| e.to_string()),
        Err(error) => Err(js_error(&error)),
    };
    page.catalogue.set(match loaded {
        Ok(view) => Catalogue::Loaded {
            models: view.models.into_iter().map(Arc::new).collect(),
            default_model: view.default_model,
        },
        Err(error) => Catalogue::Failed(error),
    });
}

async fn fetch_text(url: &str) -> Result<String, JsValue> {
    let window = window().ok_or(JsValue::NULL)?;
    let response: web_sys::Response =
        JsFuture::from(window.fetch_with_str(url)).await?.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::from_str(&format!("{url}: HTTP {}", response.status())));
    }
    let text = JsFuture::from(response.text()?).await?;
    text.as_string().ok_or(JsValue::NULL)
}

/// Makes `model` the one that answers, and brings it to the GPU.
pub fn choose(page: Page, model: &str) {
    prefs::set("model", Some(model));
    page.chosen.set(Some(model.to_owned()));
    if !untrack(|| page.is_ready(model)) {
        load(model);
    }
}

/// Makes `model` the one that answers, on the server.
pub fn choose_on_server(page: Page, model: &str) {
    prefs::set("model", Some(model));
    page.chosen.set(Some(model.to_owned()));
    place::set_choice(page, page.open.get_untracked(), Choice::Server);
}

/// Downloads what is missing and brings the model to the GPU.
pub fn load(model: &str) {
    setup::post(&ToWorker::Load { model: model.to_owned() });
}

pub fn pause(model: &str) {
    setup::post(&ToWorker::PauseLoad { model: model.to_owned() });
}

/// Stops the download and drops what arrived; the model is no longer the chosen one.
pub fn cancel(page: Page, model: &str) {
    setup::post(&ToWorker::CancelLoad { model: model.to_owned() });
    forget(page, model);
}

pub fn unload(model: &str) {
    setup::post(&ToWorker::Unload { model: model.to_owned() });
}

pub fn delete(page: Page, model: &str) {
    setup::post(&ToWorker::Evict { model: model.to_owned() });
    forget(page, model);
    let lang = page.lang.get_untracked();
    page.toast(Text::ModelDeleted.fill(lang, &[("model", &page.model_name_now(model))]));
}

fn forget(page: Page, model: &str) {
    if page.chosen.get_untracked().as_deref() == Some(model) {
        prefs::set("model", None);
        page.chosen.set(None);
    }
}

/// Not an embedder, which the documents' views have brought to the GPU, maybe before the catalogue came.
fn can_chat(page: Page, model: &str) -> bool {
    let is_embedder = prefs::get("embedder").as_deref() == Some(model);
    !is_embedder
        && page.catalogue.with_untracked(|catalogue| match catalogue {
            Catalogue::Loaded { models, .. } => models
                .iter()
                .find(|known| known.model.id == model)
                .is_none_or(|known| known.model.kind == Kind::Chat),
            _ => true,
        })
}

/// Takes a model's new state; a chosen model that lies on the device is started by itself, and one
/// that a script or another tab has brought to the GPU answers where none was chosen.
pub fn state_changed(page: Page, model: &str, state: &ModelState) {
    let before = page.models.with_untracked(|models| models.get(model).cloned());
    let chosen = page.chosen.get_untracked();
    let is_chosen = chosen.as_deref() == Some(model);
    page.models.update(|models| {
        models.insert(model.to_owned(), state.clone());
    });
    if is_chosen && before.is_none() && *state == ModelState::Cached {
        load(model);
    }
    if chosen.is_none() && matches!(state, ModelState::Ready { .. }) && can_chat(page, model) {
        page.chosen.set(Some(model.to_owned()));
    }
    let was_loading = matches!(
        before,
        Some(ModelState::Downloading { .. } | ModelState::Uploading { .. } | ModelState::Warming)
    );
    if was_loading && matches!(state, ModelState::Ready { .. }) {
        let lang = page.lang.get_untracked();
        page.announcement
            .set(Text::ModelReady.fill(lang, &[("model", &page.model_name_now(model))]));
    }
}
