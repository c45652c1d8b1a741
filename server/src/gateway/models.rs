//! `/v1/models`: what can be asked for?

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use portico_shared::catalogue::RunsIn;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::{ListedModel, ModelList};

use super::fault::Fault;
use super::{Caller, Gateway};
use crate::upstream::Place;

pub async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Json<ModelList>, Fault> {
    let mut data = gateway.listed().await?;
    data.retain(|model| gateway.may_see(&caller, &model.id));
    data.extend(gateway.listed_assistants(&caller).await?);
    Ok(Json(ModelList { object: "list".to_owned(), data }))
}

pub async fn one(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<ListedModel>, Fault> {
    let id = gateway.fleet.model(&name).map_or(name.clone(), |model| model.id.clone());
    let mut listed = gateway.listed().await?.into_iter();
    let found = listed.find(|model| model.id == id && gateway.may_see(&caller, &id));
    let found = match super::assistant::id_of(&name) {
        Some(_) => {
            let mut assistants = gateway.listed_assistants(&caller).await?.into_iter();
            assistants.find(|one| one.id == name)
        }
        None => found,
    };
    let not_found = || ApiError::new(ErrorCode::ModelNotFound).with("model", &name);
    Ok(Json(found.ok_or_else(not_found)?))
}

impl Gateway {
    /// A key's list may name a model or one of its aliases.
    pub(super) fn may_see(&self, caller: &Caller, id: &str) -> bool {
        let aliases = self.fleet.model(id).map(|model| model.aliases.as_slice());
        caller.sees(id) || aliases.unwrap_or_default().iter().any(|alias| caller.sees(alias))
    }

    /// The declared models, then those of the catalogue whose files are here and that run here.
    pub(super) async fn listed(&self) -> Result<Vec<ListedModel>, ApiError> {
        let shelf = self.library.shelf().await.map_err(|error| ApiError::from(&error))?;
        let declared = self.fleet.models().map(|model| {
            let is_here =
                model.endpoints.iter().all(|endpoint| matches!(endpoint.place, Place::Here));
            ListedModel {
                id: model.id.clone(),
                object: "model".to_owned(),
                created: 0,
                owned_by: if is_here { "portico" } else { "upstream" }.to_owned(),
                kind: model.kind,
                n_ctx: None,
            }
        });
        let mut listed: Vec<ListedModel> = declared.collect();
        let here = shelf.available().filter(|entry| {
            entry.model.runs_in.contains(&RunsIn::Server)
                && self.fleet.model(&entry.model.id).is_none()
        });
        listed.extend(here.map(|entry| ListedModel {
            id: entry.model.id.clone(),
            object: "model".to_owned(),
            created: 0,
            owned_by: "portico".to_owned(),
            kind: entry.model.kind,
            n_ctx: Some(entry.model.n_ctx),
        }));
        Ok(listed)
    }
}
