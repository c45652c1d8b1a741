//! `/api/people`: what administrators decide about somebody.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::json;

use super::NO_STORE;
use super::session::Used;
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::http_error::HttpError;
use crate::people::audit::Entry;
use crate::people::{May, Person, PersonChange, PersonId};
use crate::usage::Detail;

pub async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    Ok((NO_STORE, Json(json!({ "people": gateway.people.list().await? }))))
}

/// Answer of `GET /api/people/{id}`.
#[derive(Serialize)]
struct OnePerson {
    #[serde(flatten)]
    person: Person,
    /// What the rules come to, blocked or not.
    may: May,
    /// Null where the house does not look at what each person uses.
    used: Option<Used>,
}

pub async fn one(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<PersonId>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let (person, may) = gateway.people.one_with_rules(id).await?;
    let used = match gateway.usage.settings().await?.detail {
        Detail::People => Some(gateway.used_by(id).await?),
        Detail::House | Detail::Groups => None,
    };
    Ok((NO_STORE, Json(OnePerson { person, may, used })))
}

pub async fn change(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<PersonId>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let change: PersonChange = body.read()?;
    Ok((NO_STORE, Json(gateway.people.change(id, change, &caller.who).await?)))
}

pub async fn delete(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<PersonId>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    gateway.forget(id, &caller.who).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn sign_out(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<PersonId>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    gateway.people.one(id).await?;
    let n_ended = gateway.people.end_other_sessions(id, None).await?;
    gateway.people.audit.note(Entry::act(&caller.who, "signed_out", &id.to_string()));
    Ok((NO_STORE, Json(json!({ "n_ended": n_ended }))))
}

pub async fn end_totp(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<PersonId>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    gateway.people.one(id).await?;
    gateway.people.end_totp(id, &caller.who).await?;
    Ok(StatusCode::NO_CONTENT)
}
