//! `/api/groups`, `/api/policy`: which groups are there, and what may they?

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::json;

use super::NO_STORE;
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::http_error::HttpError;
use crate::people::{House, Rules};

pub async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    Ok((NO_STORE, Json(json!({ "groups": gateway.people.groups().await? }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGroup {
    name: String,
    #[serde(default)]
    policy: Rules,
}

pub async fn add(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let NewGroup { name, policy } = body.read()?;
    gateway.people.add_group(name, policy, &caller.who).await?;
    Ok(StatusCode::CREATED)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    policy: Option<Rules>,
}

pub async fn change(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(group): Path<String>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let Change { name, policy } = body.read()?;
    gateway.people.change_group(group, name, policy, &caller.who).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn remove(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(group): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    gateway.people.remove_group(group, &caller.who).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn policy(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    Ok((NO_STORE, Json(gateway.people.house().await?)))
}

pub async fn set_policy(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let house: House = body.read()?;
    gateway.people.set_house(house, &caller.who).await?;
    Ok(StatusCode::NO_CONTENT)
}
