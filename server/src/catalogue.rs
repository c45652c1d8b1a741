//! `/api/catalogue`: which models are there, and which of them has this server?

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use portico_shared::catalogue::CatalogueView;

use crate::app::App;
use crate::http_error::HttpError;

pub fn router(state: Arc<App>) -> Router {
    Router::new().route("/api/catalogue", get(catalogue)).with_state(state)
}

const NO_CACHE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];

async fn catalogue(State(app): State<Arc<App>>) -> Result<impl IntoResponse, HttpError> {
    let chosen = app.gateway.defaults.chosen().await;
    let view: CatalogueView = app.library.shelf().await?.view_with(chosen.chat.as_deref());
    Ok((NO_CACHE, Json(view)))
}
