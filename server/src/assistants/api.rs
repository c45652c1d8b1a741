//! `/api/assistants`: reading, writing and deleting them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use portico_shared::error::{ApiError, ErrorCode};
use serde_json::json;
use uuid::Uuid;

use super::{Assistant, Written};
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::guard::{NO_STORE, Routes, routed};
use crate::http_error::HttpError;

const TIMEOUT: Duration = Duration::from_secs(30);
const BODY_BYTES_MAX: usize = 256 << 10;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let routes: Routes = vec![
        ("/api/assistants", get(list).post(add)),
        ("/api/assistants/{id}", get(one).put(change).delete(remove)),
    ];
    routed(&gateway, routes, TIMEOUT, BODY_BYTES_MAX)
}

async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    let (assistants, sharing) = gateway.assistants.all(&caller).await?;
    Ok((NO_STORE, Json(json!({ "assistants": assistants, "may_share_with": sharing }))))
}

async fn add(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.signed_in()?;
    let added = gateway.assistants.add(&caller, body.read()?).await?;
    gateway.note_act(&caller, "assistant_added", &added.id.to_string());
    note_sharing(&gateway, &caller, None, &added);
    Ok((StatusCode::CREATED, NO_STORE, Json(added)))
}

async fn one(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    caller.signed_in()?;
    Ok((NO_STORE, Json(gateway.assistants.one(&caller, read_id(&id)?).await?)))
}

async fn change(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.signed_in()?;
    let written: Written = body.read()?;
    let id = read_id(&id)?;
    let before = gateway.assistants.one(&caller, id).await?;
    let changed = gateway.assistants.change(&caller, id, written).await?;
    gateway.note_act(&caller, "assistant_changed", &id.to_string());
    note_sharing(&gateway, &caller, Some(&before), &changed);
    Ok((NO_STORE, Json(changed)))
}

async fn remove(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, HttpError> {
    caller.signed_in()?;
    let id = read_id(&id)?;
    gateway.assistants.remove(&caller, id).await?;
    gateway.note_act(&caller, "assistant_removed", &id.to_string());
    Ok(StatusCode::NO_CONTENT)
}

/// Who gets to see it is worth a line of its own.
fn note_sharing(gateway: &Gateway, caller: &Caller, before: Option<&Assistant>, after: &Assistant) {
    let with = |one: &Assistant| (one.for_house, one.groups.clone().unwrap_or_default());
    if before.map(with).unwrap_or_default() != with(after) {
        gateway.note_act(caller, "assistant_shared", &after.id.to_string());
    }
}

fn read_id(id: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(id).map_err(|_| ApiError::new(ErrorCode::AssistantNotFound))
}
