//! `/api/attachments`: the bytes of files that go with a person's messages, by their SHA-256.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::plain::{GivenUp, Replaced};
use super::{CHUNK_BYTES, Offer};
use crate::files::Inert;
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::guard::{NO_STORE, Routes, routed};
use crate::http_error::HttpError;

/// A request without bytes, and the end of an upload, which reads all of it.
const TIMEOUT: Duration = Duration::from_secs(120);
/// A chunk over a slow line.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(600);
const MAX_BODY_BYTES: usize = 4096;
const NAME_CHARS_MAX: usize = 255;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let small: Routes = vec![
        ("/api/attachments", get(room).post(open)),
        ("/api/attachments/release", post(release)),
        ("/api/attachments/plain", get(plain)),
        ("/api/attachments/plain/replaced", post(replaced)),
        ("/api/attachments/plain/given-up", post(give_up)),
        ("/api/attachments/{id}/finish", post(finish)),
        ("/api/attachments/{id}/upload", delete(cancel)),
        ("/api/attachments/{id}/file", get(file)),
    ];
    let chunks: Routes = vec![("/api/attachments/{id}/bytes", put(bytes))];
    routed(&gateway, small, TIMEOUT, MAX_BODY_BYTES).merge(routed(
        &gateway,
        chunks,
        CHUNK_TIMEOUT,
        CHUNK_BYTES as usize,
    ))
}

async fn room(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    let person = caller.may_sync()?;
    let room = gateway.attachments.room(person, caller.may.storage_bytes).await?;
    Ok((NO_STORE, Json(room)))
}

async fn open(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let person = caller.may_sync()?;
    let offer: Offer = body.read()?;
    let standing = gateway.attachments.open(person, offer, caller.may.storage_bytes).await?;
    Ok((NO_STORE, Json(standing)))
}

#[derive(Deserialize)]
struct Released {
    conversation: Uuid,
}

async fn release(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<StatusCode, HttpError> {
    // Also of who may not sync any more.
    let person = caller.signed_in()?;
    let Released { conversation } = body.read()?;
    gateway.attachments.release(person, conversation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What waits to be encrypted.
async fn plain(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    let person = caller.may_sync()?;
    let files = gateway.attachments.waiting(person).await?;
    Ok((NO_STORE, Json(json!({ "files": files }))))
}

async fn replaced(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<StatusCode, HttpError> {
    let person = caller.may_sync()?;
    gateway.attachments.replaced(person, body.read::<Replaced>()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn give_up(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<StatusCode, HttpError> {
    // Also of who may not sync any more.
    let person = caller.signed_in()?;
    if gateway.attachments.give_up(person, body.read::<GivenUp>()?).await? {
        // Which file it was is nobody's business in the log.
        gateway.note_act(&caller, "attachment_given_up", "");
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Where {
    offset: u64,
}

/// The body is a chunk.
async fn bytes(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(at): Query<Where>,
    body: Bytes,
) -> Result<StatusCode, HttpError> {
    let person = caller.may_sync()?;
    gateway.attachments.put(person, &id, at.offset, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn finish(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    let person = caller.may_sync()?;
    let attachment = gateway.attachments.finish(person, &id).await?;
    // Which file it is is nobody's business in the log.
    gateway.note_act(&caller, "attachment_added", "");
    Ok((StatusCode::CREATED, NO_STORE, Json(attachment)))
}

async fn cancel(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, HttpError> {
    // Also of who may not sync any more.
    let person = caller.signed_in()?;
    gateway.attachments.cancel(person, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Called {
    name: Option<String>,
}

async fn file(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(called): Query<Called>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let person = caller.may_sync()?;
    let attachment = gateway.attachments.one(person, &id).await?;
    let name: String = called.name.unwrap_or_default().chars().take(NAME_CHARS_MAX).collect();
    let file = Inert {
        sha256: &attachment.sha256,
        name: if name.is_empty() { &attachment.sha256 } else { &name },
        media_type: &attachment.media_type,
        inline: false,
    };
    gateway.files.answer(file, &method, &headers).await
}
