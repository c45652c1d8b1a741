//! `/api/collections/{id}/files` and `/api/collections/{id}/indexed`: documents that the uploader's own
//! device has read and embedded.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;

use super::NO_STORE;
use super::documents::{receive, uploaded};
use crate::documents::IndexedDocument;
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::http_error::HttpError;
use crate::people::Right;

#[derive(Serialize)]
struct Held {
    sha256: String,
    size_bytes: u64,
}

/// The body is the file, kept for the request that is to follow.
pub async fn hold_file(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(collection): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, HttpError> {
    let documents = &gateway.documents;
    documents.require(&caller.rights, &collection, Right::Contribute).await?;
    let received = receive(documents, &headers, body).await?;
    gateway.check_storage(&caller, received.size_bytes).await?;
    let held = Held { sha256: received.sha256.clone(), size_bytes: received.size_bytes };
    documents.hold(received).await?;
    Ok((StatusCode::CREATED, NO_STORE, Json(held)))
}

pub async fn take_indexed(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(collection): Path<String>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let indexed: IndexedDocument = body.read()?;
    let documents = &gateway.documents;
    let taken = documents.take_indexed(&caller.rights, &collection, indexed).await?;
    gateway.note_stored(&caller, taken.document()).await?;
    uploaded(&gateway, &caller, taken).await
}
