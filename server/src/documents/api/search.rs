//! `/api/search`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use portico_shared::retrieval::SearchRequest;

use super::NO_STORE;
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::http_error::HttpError;

pub async fn search(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let request: SearchRequest = body.read()?;
    let found = gateway.documents.search(&caller.rights, &request).await?;
    Ok((NO_STORE, Json(found)))
}
