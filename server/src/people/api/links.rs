//! `/api/links`, `/api/people/links`: invitations and new passwords.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::{NO_STORE, agent, link_address};
use crate::gateway::{Address, Caller, Gateway, JsonBody, OwnPage};
use crate::http_error::HttpError;
use crate::people::audit::Entry;
use crate::people::{LinkKind, NewLink, OpenLink, PersonId, Role, check_groups, store};

const DAY_S: u64 = 86_400;
const DAYS_MAX: u64 = 90;
const USUAL_DAYS: u64 = 7;
/// A new password is wanted now.
const RESET_S: u64 = DAY_S;
const NOTE_CHARS_MAX: usize = 200;

#[derive(Deserialize)]
struct Look {
    secret: String,
}

pub async fn look(
    State(gateway): State<Arc<Gateway>>,
    _: OwnPage,
    Address(address): Address,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let Look { secret } = body.read()?;
    let link = gateway.people.look_at_link(&secret, address).await?;
    Ok((NO_STORE, Json(link)))
}

pub async fn open(
    State(gateway): State<Arc<Gateway>>,
    _: OwnPage,
    Address(address): Address,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, HttpError> {
    let open: OpenLink = body.read()?;
    match gateway.people.open_link(open, address, agent(&headers)).await? {
        Some((secret, person)) => Ok(gateway.signed_in_answer(&secret, person).await?),
        None => Ok((NO_STORE, Json(json!({ "person": null }))).into_response()),
    }
}

pub async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    Ok((NO_STORE, Json(json!({ "links": gateway.people.links().await? }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invite {
    #[serde(default = "member")]
    role: Role,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    note: String,
    days: Option<u64>,
}

fn member() -> Role {
    Role::Member
}

pub async fn invite(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let Invite { role, groups, note, days } = body.read()?;
    check_groups(&groups)?;
    let days = days.unwrap_or(USUAL_DAYS);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(store::invalid("days", "a link can be opened for 1 to 90 days").into());
    }
    if note.chars().count() > NOTE_CHARS_MAX {
        return Err(store::invalid("note", "a note has at most 200 characters").into());
    }
    let new = NewLink {
        kind: LinkKind::Invite,
        person: None,
        role,
        groups,
        note,
        made_by: caller.who,
        lasts_s: days * DAY_S,
    };
    let (link, secret) = gateway.people.make_link(new).await?;
    let url = link_address(&gateway.config, &secret);
    Ok((StatusCode::CREATED, NO_STORE, Json(json!({ "link": link, "url": url }))))
}

pub async fn reset(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<PersonId>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let person = gateway.people.one(id).await?;
    let new = NewLink {
        kind: LinkKind::Reset,
        person: Some(id),
        role: person.role,
        groups: Vec::new(),
        note: String::new(),
        made_by: caller.who,
        lasts_s: RESET_S,
    };
    let (link, secret) = gateway.people.make_link(new).await?;
    let url = link_address(&gateway.config, &secret);
    Ok((StatusCode::CREATED, NO_STORE, Json(json!({ "link": link, "url": url }))))
}

pub async fn remove(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    gateway.people.remove_link(id.clone()).await?;
    gateway.people.audit.note(Entry::act(&caller.who, "link_removed", &id));
    Ok(StatusCode::NO_CONTENT)
}
