//! `/healthz`: is this server up, and what does it have? `/readyz`: can it answer?

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::guard::NO_STORE;
use crate::http_error::HttpError;
use crate::inference::LoadState;

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

/// Answer of `GET /readyz`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Readiness {
    /// `ready`: a server that is not answers with an error.
    pub status: String,
    /// Models on their way into memory; requests for them wait.
    pub loading: Vec<Loading>,
    /// What is away while the rest answers: `files`, where documents cannot be read or added.
    pub away: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loading {
    pub model: String,
    /// 0 to 1.
    pub progress: f32,
}

pub fn router(state: Arc<App>) -> Router {
    Router::new().route("/healthz", get(health)).route("/readyz", get(ready)).with_state(state)
}

async fn health(State(app): State<Arc<App>>) -> Result<Response, HttpError> {
    let shelf = app.library.shelf().await?;
    let health = Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        page: app.page.is_there(),
        models: shelf.available().map(|entry| entry.model.id.clone()).collect(),
    };
    Ok((NO_STORE, Json(health)).into_response())
}

/// Ready is who can read its models' folder and its database. Documents' files that cannot be reached take
/// no chat away: a house of several servers is not to lose all of them with its storage.
async fn ready(State(app): State<Arc<App>>) -> Result<Response, HttpError> {
    app.library.shelf().await?;
    app.gateway.keys.check().await?;
    let files = app.gateway.documents.check_files().await;
    let files = files.inspect_err(|error| tracing::warn!(%error, "the documents' files"));
    let status = app.gateway.inference.status();
    let loading = status.models.into_iter().filter_map(|model| match model.load {
        LoadState::Loading { progress } => Some(Loading { model: model.id, progress }),
        LoadState::Ready => None,
    });
    let away = files.is_err().then(|| "files".to_owned());
    let readiness = Readiness {
        status: "ready".to_owned(),
        loading: loading.collect(),
        away: away.into_iter().collect(),
    };
    Ok((NO_STORE, Json(readiness)).into_response())
}
