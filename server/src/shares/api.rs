//! `/api/shares`: `docs/shares.md` describes each route.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use portico_shared::share::SNAPSHOT_MAX_BYTES;
use serde_json::json;

use crate::gateway::{Caller, Gateway, JsonBody};
use crate::guard::{NO_STORE, Routes, routed};
use crate::http_error::HttpError;

const TIMEOUT: Duration = Duration::from_secs(30);
/// Of a snapshot, some of its characters escaped that need not be, and what stands around it.
const MAX_BODY_BYTES: usize = 2 * SNAPSHOT_MAX_BYTES;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let routes: Routes = vec![
        ("/api/shares", get(own).post(add)),
        ("/api/shares/{id}", get(read).put(change).delete(end)),
    ];
    routed(&gateway, routes, TIMEOUT, MAX_BODY_BYTES)
}

async fn own(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    let shares = gateway.shares.own(&caller).await?;
    Ok((NO_STORE, Json(json!({ "shares": shares }))))
}

async fn read(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    Ok((NO_STORE, Json(gateway.shares.read(&caller, id).await?)))
}

async fn add(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.in_person()?;
    let made = gateway.shares.add(&caller, body.read()?).await?;
    gateway.note_act(&caller, "chat_shared", &made.id);
    Ok((StatusCode::CREATED, NO_STORE, Json(made)))
}

async fn change(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.in_person()?;
    let changed = gateway.shares.change(&caller, id, body.read()?).await?;
    gateway.note_act(&caller, "chat_share_changed", &changed.id);
    Ok((NO_STORE, Json(changed)))
}

async fn end(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    caller.in_person()?;
    gateway.shares.end(&caller, id.clone()).await?;
    gateway.note_act(&caller, "chat_share_ended", &id);
    Ok(StatusCode::NO_CONTENT)
}
