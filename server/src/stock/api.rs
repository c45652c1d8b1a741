//! `/api/models`: the house's models for its administrators.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::Chosen;
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::guard::{NO_STORE, Routes, routed};
use crate::http_error::HttpError;
use crate::people::PersonId;

const TIMEOUT: Duration = Duration::from_secs(60);
const BODY_BYTES_MAX: usize = 64 << 10;
/// A file of many gigabytes over a slow line.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(86_400);
/// The disk's room is what limits it.
const UPLOAD_BYTES_MAX: usize = 1 << 40;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let routes: Routes = vec![
        ("/api/models", get(list)),
        ("/api/models/job", get(job).delete(cancel)),
        ("/api/models/defaults", put(choose)),
        ("/api/models/{id}", delete(remove)),
        ("/api/models/{id}/pull", post(pull)),
        ("/api/models/{id}/verify", post(verify)),
    ];
    let uploads: Routes = vec![("/api/models/upload", put(upload))];
    routed(&gateway, routes, TIMEOUT, BODY_BYTES_MAX).merge(routed(
        &gateway,
        uploads,
        UPLOAD_TIMEOUT,
        UPLOAD_BYTES_MAX,
    ))
}

/// An administrator, who is a person.
fn admin(caller: &Caller) -> Result<PersonId, HttpError> {
    caller.admin()?;
    Ok(caller.signed_in()?)
}

async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    admin(&caller)?;
    Ok((NO_STORE, Json(gateway.stock.listing(&gateway).await?)))
}

async fn job(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    admin(&caller)?;
    Ok((NO_STORE, Json(json!({ "job": gateway.stock.job() }))))
}

async fn cancel(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    admin(&caller)?;
    Ok((NO_STORE, Json(json!({ "job": gateway.stock.cancel() }))))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Pull {
    /// Accepts the model's terms for the house.
    accept_licence: bool,
}

async fn pull(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let person = admin(&caller)?;
    let Pull { accept_licence } = body.read()?;
    let job = gateway.stock.pull(&id, accept_licence, person).await?;
    Ok((StatusCode::ACCEPTED, NO_STORE, Json(json!({ "job": job }))))
}

async fn verify(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    let person = admin(&caller)?;
    let job = gateway.stock.verify(&id, person).await?;
    Ok((StatusCode::ACCEPTED, NO_STORE, Json(json!({ "job": job }))))
}

async fn remove(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    let person = admin(&caller)?;
    Ok(Json(gateway.stock.remove(&id, person).await?))
}

async fn choose(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let person = admin(&caller)?;
    let chosen: Chosen = body.read()?;
    Ok(Json(gateway.stock.choose(chosen, person).await?))
}

#[derive(Deserialize)]
struct Upload {
    /// The file's.
    #[serde(default)]
    name: String,
}

async fn upload(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(Upload { name }): Query<Upload>,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, HttpError> {
    let person = admin(&caller)?;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|value| value.parse().ok());
    let job = gateway.stock.upload(&name, announced, body, person).await?;
    Ok(Json(json!({ "job": job })))
}
