//! What may an assistant be made of? The models, collections and tools that the person themselves may use.

use futures_util::future::join4;
use leptos::prelude::WithUntracked as _;
use portico_people::texts::Text;
use portico_shared::catalogue::{CatalogueView, Kind, RunsIn};
use portico_shared::error::ApiError;
use portico_shared::openai::ModelList;
use serde::Deserialize;

use crate::api;
use crate::state::{Asked, People};

/// In a list of rules: everything.
const ALL: &str = "*";
/// Tools that run on every device.
const ON_DEVICE: [&str; 3] = ["calculator", "date", "convert_units"];

#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub id: String,
    pub name: String,
    pub on_device: bool,
    pub on_server: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Collection {
    pub id: String,
    pub title: String,
}

#[derive(Deserialize)]
struct Collections {
    collections: Vec<Collection>,
}

#[derive(Deserialize)]
struct Tool {
    id: String,
}

#[derive(Deserialize)]
struct Tools {
    tools: Vec<Tool>,
}

/// What is not there, or not answered, can not be chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    pub models: Vec<Model>,
    pub collections: Vec<Collection>,
    pub tools: Vec<String>,
}

pub async fn load(people: People) -> Choices {
    let (catalogue, server, collections, tools) = join4(
        api::get::<CatalogueView>("/api/catalogue"),
        api::get::<ModelList>("/v1/models"),
        api::get::<Collections>("/api/collections"),
        api::get::<Tools>("/api/tools"),
    )
    .await;
    let may_on_device = people.session.with_untracked(|session| match session {
        Asked::Loaded(session) => session.may.as_ref().map(|may| may.models_on_device.clone()),
        _ => None,
    });
    let may_on_device = may_on_device.unwrap_or_default();
    let collections = collections.map(|all| all.collections).unwrap_or_default();
    let of_server = tools.map(|all| all.tools).unwrap_or_default();
    let tools = ON_DEVICE.iter().map(|&id| id.to_owned());
    let tools = tools.chain(of_server.into_iter().map(|tool| tool.id)).collect();
    Choices { models: models(catalogue, server, &may_on_device), collections, tools }
}

fn models(
    catalogue: Result<CatalogueView, ApiError>,
    server: Result<ModelList, ApiError>,
    may_on_device: &[String],
) -> Vec<Model> {
    let mut models: Vec<Model> = Vec::new();
    let known = catalogue.map(|catalogue| catalogue.models).unwrap_or_default();
    let may = |id: &String| may_on_device.iter().any(|may| may == ALL || may == id);
    for view in known.iter().filter(|view| view.model.kind == Kind::Chat && view.available) {
        let (id, name) = (view.model.id.clone(), view.model.name.clone());
        let on_device = view.model.runs_in(RunsIn::Browser) && may(&id);
        models.push(Model { id, name, on_device, on_server: false });
    }
    let listed = server.map(|list| list.data).unwrap_or_default();
    for one in listed.into_iter().filter(|one| one.kind == Kind::Chat) {
        match models.iter_mut().find(|model| model.id == one.id) {
            Some(model) => model.on_server = true,
            None => {
                let name = one.id.clone();
                models.push(Model { id: one.id, name, on_device: false, on_server: true });
            }
        }
    }
    models.retain(|model| model.on_device || model.on_server);
    models
}

/// A tool as people call it; one of a server of tools by its id.
pub fn tool_title(id: &str) -> Option<Text> {
    Some(match id {
        "calculator" => Text::ToolCalculator,
        "date" => Text::ToolDate,
        "convert_units" => Text::ToolUnits,
        "search_documents" => Text::ToolSearch,
        "read_document" => Text::ToolRead,
        _ => return None,
    })
}
