//! `/healthz`: is this server up, and what does it have?

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::http_error::HttpError;

/// Answer of `GET /healthz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`: whoever cannot answer so does not answer.
    pub status: String,
    pub version: String,
    /// Whether there is a page to serve.
    pub page: bool,
    /// Ids of the models whose files lie here.
    pub models: Vec<String>,
}

pub fn router(state: Arc<App>) -> Router {
    Router::new().route("/healthz", get(health)).with_state(state)
}

async fn health(State(app): State<Arc<App>>) -> Result<Response, HttpError> {
    let shelf = app.library.shelf().await?;
    let health = Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        page: app.page.is_there(),
        models: shelf.available().map(|entry| entry.model.id.clone()).collect(),
    };
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(health)).into_response())
}
