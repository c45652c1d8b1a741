//! Which names can rules hold? The models that the server knows, and its tools.

use leptos::prelude::*;
use portico_people::rules::Field;
use serde::Deserialize;
use wasm_bindgen_futures::spawn_local;

use crate::api;

/// The server's own.
const TOOLS: [&str; 2] = ["search_documents", "read_document"];

#[derive(Clone, Copy)]
pub struct Known {
    on_device: RwSignal<Vec<String>>,
    on_server: RwSignal<Vec<String>>,
}

/// `/api/catalogue`
#[derive(Deserialize)]
struct Catalogue {
    models: Vec<InCatalogue>,
}

#[derive(Deserialize)]
struct InCatalogue {
    id: String,
    #[serde(default)]
    available: bool,
    #[serde(default)]
    runs_in: Vec<String>,
}

/// `/v1/models`
#[derive(Deserialize)]
struct Listed {
    data: Vec<OnServer>,
}

#[derive(Deserialize)]
struct OnServer {
    id: String,
}

impl Known {
    /// Asks for them; any name can be typed nevertheless.
    pub fn load() -> Self {
        let known =
            Self { on_device: RwSignal::new(Vec::new()), on_server: RwSignal::new(Vec::new()) };
        spawn_local(async move {
            if let Ok(found) = api::get::<Catalogue>("/api/catalogue").await {
                let runs = |model: &InCatalogue| {
                    model.available && model.runs_in.iter().any(|place| place == "browser")
                };
                let names = found.models.into_iter().filter(runs).map(|model| model.id);
                known.on_device.try_set(names.collect());
            }
            if let Ok(found) = api::get::<Listed>("/v1/models").await {
                known.on_server.try_set(found.data.into_iter().map(|model| model.id).collect());
            }
        });
        known
    }

    pub fn names(self, field: Field) -> Vec<String> {
        match field {
            Field::ModelsOnDevice => self.on_device.get(),
            Field::ModelsOnServer => self.on_server.get(),
            Field::Tools => TOOLS.map(str::to_owned).to_vec(),
            _ => Vec::new(),
        }
    }
}
