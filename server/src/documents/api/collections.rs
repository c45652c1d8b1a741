//! `/api/collections`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;

use super::NO_STORE;
use crate::documents::{Collection, CollectionChange, NewCollection};
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::http_error::HttpError;

#[derive(Serialize)]
struct Collections {
    collections: Vec<Collection>,
}

pub async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    let collections = gateway.documents.collections(&caller.rights).await?;
    Ok((NO_STORE, Json(Collections { collections })))
}

pub async fn one(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    let collection = gateway.documents.collection(&caller.rights, &id).await?;
    Ok((NO_STORE, Json(collection)))
}

pub async fn create(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let new: NewCollection = body.read()?;
    let collection = gateway.documents.create_collection(&caller.rights, new).await?;
    gateway.note_act(&caller, "collection_added", &collection.id);
    Ok((StatusCode::CREATED, NO_STORE, Json(collection)))
}

pub async fn change(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let change: CollectionChange = body.read()?;
    let changes_rights = change.groups.is_some();
    let changed = gateway.documents.change_collection(&caller.rights, &id, change).await?;
    let action = if changes_rights { "collection_rights_changed" } else { "collection_changed" };
    gateway.note_act(&caller, action, &id);
    Ok((NO_STORE, Json(changed)))
}

pub async fn delete(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    gateway.documents.delete_collection(&caller.rights, &id).await?;
    gateway.note_act(&caller, "collection_removed", &id);
    Ok(StatusCode::NO_CONTENT)
}
