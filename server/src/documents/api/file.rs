//! `/api/documents/{id}/file`: a document's own bytes, inert.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use serde::Deserialize;

use super::documents::document_id;
use crate::files::Inert;
use crate::gateway::{Caller, Gateway};
use crate::http_error::HttpError;

#[derive(Deserialize)]
pub struct FileQuery {
    /// Shown, if it can be shown without harm.
    inline: Option<String>,
}

pub async fn file(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<FileQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let document = gateway.documents.document(&caller.rights, document_id(&id)?).await?;
    let file = Inert {
        sha256: &document.sha256,
        name: &document.name,
        media_type: &document.media_type,
        inline: query.inline.is_some(),
    };
    gateway.files.answer(file, &method, &headers).await
}
