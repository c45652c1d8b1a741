//! `/api/collections/{id}/documents` and `/api/documents/{id}`

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use futures_util::StreamExt as _;
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::NO_STORE;
use crate::documents::intake::file_name;
use crate::documents::{Arrival, DocumentView, Documents, Received, Taken};
use crate::files::too_large;
use crate::gateway::{Caller, Gateway};
use crate::http_error::HttpError;
use crate::keys::now_s;
use crate::people::Right;

#[derive(Deserialize)]
pub struct ListQuery {
    after: Option<Uuid>,
    limit: Option<u32>,
}

/// Documents of a listing where nothing is said.
const USUAL_LIMIT: u32 = 100;

pub async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(collection): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<impl IntoResponse, HttpError> {
    let limit = query.limit.unwrap_or(USUAL_LIMIT);
    let listed = gateway.documents.list(&caller.rights, &collection, query.after, limit).await?;
    Ok((NO_STORE, Json(listed)))
}

#[derive(Deserialize)]
pub struct UploadQuery {
    name: String,
    /// Of its last change, in seconds since 1970.
    date_s: Option<i64>,
}

/// What became of a file.
#[derive(Serialize)]
struct Uploaded {
    document: DocumentView,
    /// `new`, `replaced`, `unchanged` or `duplicate`: the same bytes lie there under another name.
    outcome: &'static str,
}

/// The body is the file.
pub async fn upload(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(collection): Path<String>,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, HttpError> {
    let documents = &gateway.documents;
    documents.require(&caller.rights, &collection, Right::Contribute).await?;
    let received = receive(documents, &headers, body).await?;
    gateway.check_storage(&caller, received.size_bytes).await?;
    let name = file_name(&query.name);
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let arrival = Arrival {
        collection,
        root: String::new(),
        place: name.clone(),
        name,
        media_type: media_type.map(str::to_owned),
        date_s: query.date_s.unwrap_or(now_s() as i64),
    };
    let taken = documents.take_in(&caller.rights, arrival, received).await?;
    gateway.note_stored(&caller, taken.document()).await?;
    uploaded(&gateway, &caller, taken).await
}

/// What is said of a file that was taken, to whoever sent it and to the audit log.
pub(super) async fn uploaded(
    gateway: &Gateway,
    caller: &Caller,
    taken: Taken,
) -> Result<impl IntoResponse + use<>, HttpError> {
    let (status, outcome) = match taken {
        Taken::New(_) => (StatusCode::CREATED, "new"),
        Taken::Replaced(_) => (StatusCode::CREATED, "replaced"),
        Taken::Unchanged(_) => (StatusCode::OK, "unchanged"),
        Taken::Duplicate(_) => (StatusCode::OK, "duplicate"),
    };
    let document = gateway.documents.document(&caller.rights, taken.document()).await?;
    let action = match taken {
        Taken::New(_) => Some("document_added"),
        Taken::Replaced(_) => Some("document_replaced"),
        Taken::Unchanged(_) | Taken::Duplicate(_) => None,
    };
    if let Some(action) = action {
        gateway.note_act(caller, action, &object(&document.collection, document.id));
    }
    Ok((status, NO_STORE, Json(Uploaded { document, outcome })))
}

/// A document in the audit log: its name is nobody's business there.
fn object(collection: &str, id: Uuid) -> String {
    format!("{collection}/{id}")
}

/// Writes a body to the disk.
pub(super) async fn receive(
    documents: &Documents,
    headers: &HeaderMap,
    body: Body,
) -> Result<Received, ApiError> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    // What is too much is refused before it comes.
    let max_bytes = documents.files.max_file_bytes();
    if announced.is_some_and(|bytes| bytes > max_bytes) {
        return Err(too_large(max_bytes));
    }
    documents.check_room("", announced.unwrap_or_default()).await?;
    let mut incoming = documents.files.begin().await?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let cut = |error: axum::Error| {
            let reason = format!("the file's end is missing: {error}");
            ApiError::new(ErrorCode::InvalidRequest).with("reason", reason)
        };
        incoming.write(&piece.map_err(cut)?).await?;
    }
    incoming.finish().await
}

pub async fn one(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    let document = gateway.documents.document(&caller.rights, document_id(&id)?).await?;
    Ok((NO_STORE, Json(document)))
}

pub async fn delete(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    let id = document_id(&id)?;
    let collection = gateway.documents.delete_document(&caller.rights, id).await?;
    gateway.note_act(&caller, "document_removed", &object(&collection, id));
    Ok(StatusCode::NO_CONTENT)
}

pub async fn retry(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    gateway.documents.retry_document(&caller.rights, document_id(&id)?).await?;
    Ok(StatusCode::ACCEPTED)
}

pub async fn text(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    let found = gateway.documents.document_text(&caller.rights, document_id(&id)?).await?;
    let extracted = found.extracted;
    let text = serde_json::json!({
        "document": found.document,
        "title": extracted.title,
        "text": extracted.text,
        "blocks": extracted.blocks,
        "pages": extracted.n_pages,
    });
    Ok((NO_STORE, Json(text)))
}

pub async fn passage(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path((document, passage)): Path<(String, String)>,
) -> Result<impl IntoResponse, HttpError> {
    let (document, passage) = (document_id(&document)?, document_id(&passage)?);
    let found = gateway.documents.passage(&caller.rights, document, passage).await?;
    Ok((NO_STORE, Json(found)))
}

/// # Errors
/// `document_not_found` for what is no id.
pub(super) fn document_id(text: &str) -> Result<Uuid, ApiError> {
    text.parse().map_err(|_| ApiError::new(ErrorCode::DocumentNotFound))
}
