//! `/api/me`: what does a person decide about their own account?

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::NO_STORE;
use crate::gateway::{Address, Caller, Gateway, JsonBody};
use crate::http_error::HttpError;
use crate::keys::{Key, KeyLimits, NewKey, Spent, now_s};
use crate::people::audit::Entry;
use crate::people::{PersonChange, Role, Scope, check_groups};

const DAY_S: u64 = 86_400;
/// Keys of one person that hold at the same time.
const KEYS_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    display_name: Option<String>,
    email: Option<String>,
}

pub async fn change(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let id = caller.in_person()?;
    let Change { display_name, email } = body.read()?;
    let change = PersonChange { display_name, email, ..PersonChange::default() };
    let person = gateway.people.change(id, change, &caller.who).await?;
    Ok((NO_STORE, Json(person)))
}

#[derive(Deserialize)]
struct NewPassword {
    old: String,
    new: String,
}

pub async fn change_password(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Address(address): Address,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let person = gateway.people.one(caller.in_person()?).await?;
    let NewPassword { old, new } = body.read()?;
    let session = caller.session().map(str::to_owned);
    gateway.people.change_password(&person, session, old, new, address).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Password {
    #[serde(default)]
    password: String,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

pub async fn begin_totp(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Address(address): Address,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let person = gateway.people.one(caller.in_person()?).await?;
    let Password { password } = body.read()?;
    gateway.people.check_password(&person, password, address).await?;
    let house = gateway.config.server.public_url.as_ref().and_then(|url| url.host());
    let (secret, uri) = gateway.people.begin_totp(&person, house.unwrap_or("Portico")).await?;
    Ok((NO_STORE, Json(json!({ "secret": secret, "uri": uri }))))
}

pub async fn finish_totp(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Address(address): Address,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let person = gateway.people.one(caller.in_person()?).await?;
    let Code { code } = body.read()?;
    let codes = gateway.people.finish_totp(&person, code, address).await?;
    Ok((NO_STORE, Json(json!({ "recovery_codes": codes }))))
}

pub async fn end_totp(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Address(address): Address,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let person = gateway.people.one(caller.in_person()?).await?;
    let Password { password } = body.read()?;
    gateway.people.check_password(&person, password, address).await?;
    gateway.people.end_totp(person.id, &caller.who).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn sessions(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    let this = caller.session().map(str::to_owned);
    let sessions = gateway.people.sessions(caller.in_person()?, this).await?;
    Ok((NO_STORE, Json(json!({ "sessions": sessions }))))
}

pub async fn end_session(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    gateway.people.end_session(caller.in_person()?, id).await?;
    gateway.people.audit.note(Entry::act(&caller.who, "session_ended", ""));
    Ok(StatusCode::NO_CONTENT)
}

pub async fn end_other_sessions(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    let this = caller.session().map(str::to_owned);
    let n_ended = gateway.people.end_other_sessions(caller.in_person()?, this).await?;
    gateway.people.audit.note(Entry::act(&caller.who, "session_ended", ""));
    Ok((NO_STORE, Json(json!({ "n_ended": n_ended }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedKey {
    name: String,
    scopes: Option<Vec<Scope>>,
    models: Option<Vec<String>>,
    /// None: all of the person's.
    groups: Option<Vec<String>>,
    days: Option<u64>,
    requests_per_minute: Option<u64>,
    tokens_per_minute: Option<u64>,
    tokens_per_day: Option<u64>,
    tokens_per_month: Option<u64>,
}

/// A key as its person sees it.
#[derive(Serialize)]
struct KeyView {
    id: String,
    name: String,
    created_s: u64,
    expires_s: Option<u64>,
    revoked_s: Option<u64>,
    last_used_s: Option<u64>,
    scopes: Option<Vec<Scope>>,
    models: Option<Vec<String>>,
    groups: Vec<String>,
    tokens_per_day: Option<u64>,
    tokens_per_month: Option<u64>,
    tokens_today: u64,
    tokens_this_month: u64,
}

impl KeyView {
    fn new((key, today, month): (Key, Spent, Spent)) -> Self {
        Self {
            id: key.id,
            name: key.name,
            created_s: key.created_s,
            expires_s: key.expires_s,
            revoked_s: key.revoked_s,
            last_used_s: key.last_used_s,
            scopes: key.scopes,
            models: key.limits.models,
            groups: key.groups,
            tokens_per_day: key.limits.tokens_per_day,
            tokens_per_month: key.limits.tokens_per_month,
            tokens_today: today.tokens(),
            tokens_this_month: month.tokens(),
        }
    }
}

pub async fn keys(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    let person = caller.in_person()?;
    let keys: Vec<KeyView> = blocking(&gateway, move |gateway| {
        // With what was counted and not written yet.
        gateway.keys.close()?;
        Ok(gateway.keys.list_of(Some(person))?.into_iter().map(KeyView::new).collect())
    })
    .await?;
    Ok((NO_STORE, Json(json!({ "keys": keys }))))
}

pub async fn make_key(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let person = gateway.people.one(caller.in_person()?).await?;
    if !caller.may.make_keys {
        return Err(ErrorCode::NotForYou.into());
    }
    let wanted: WantedKey = body.read()?;
    let groups = wanted.groups.unwrap_or_else(|| person.groups.clone());
    check_groups(&groups)?;
    let is_admin = person.role == Role::Admin;
    // What decides about people is made on purpose, by whom it is for.
    if wanted.scopes.as_ref().is_some_and(|scopes| scopes.contains(&Scope::People)) {
        caller.admin()?;
    }
    let new = NewKey {
        name: wanted.name,
        expires_s: wanted.days.map(|days| now_s().saturating_add(days.saturating_mul(DAY_S))),
        limits: KeyLimits {
            models: wanted.models,
            requests_per_minute: wanted.requests_per_minute,
            tokens_per_minute: wanted.tokens_per_minute,
            tokens_per_day: wanted.tokens_per_day,
            tokens_per_month: wanted.tokens_per_month,
        },
        groups,
        is_admin,
        person: Some(person.id),
        scopes: wanted.scopes,
    };
    let (key, text) = blocking(&gateway, move |gateway| {
        let held = gateway.keys.list_of(Some(person.id))?;
        if held.iter().filter(|(key, ..)| key.revoked_s.is_none()).count() >= KEYS_MAX {
            let reason = format!("a person has at most {KEYS_MAX} keys");
            return Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason));
        }
        let (key, secret) = gateway.keys.create(&new)?;
        Ok((key, secret.text))
    })
    .await?;
    gateway.people.audit.note(Entry::act(&caller.who, "key_made", &key.id));
    let view = KeyView::new((key, Spent::default(), Spent::default()));
    Ok((StatusCode::CREATED, NO_STORE, Json(json!({ "key": view, "secret": text }))))
}

pub async fn revoke_key(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    let person = caller.in_person()?;
    let of_id = id.clone();
    blocking(&gateway, move |gateway| Ok(gateway.keys.revoke_of(person, &of_id)?)).await?;
    gateway.people.audit.note(Entry::act(&caller.who, "key_revoked", &id));
    Ok(StatusCode::NO_CONTENT)
}

pub async fn export(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    let person = caller.in_person()?;
    blocking(&gateway, |gateway| Ok(gateway.keys.close()?)).await?;
    let all = gateway.people.export(person).await?;
    gateway.people.audit.note(Entry::act(&caller.who, "exported", ""));
    let name = "attachment; filename=\"portico.json\"";
    Ok((NO_STORE, [(header::CONTENT_DISPOSITION, name)], Json(all)))
}

pub async fn delete(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Address(address): Address,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let person = gateway.people.one(caller.in_person()?).await?;
    let Password { password } = body.read()?;
    gateway.people.check_password(&person, password, address).await?;
    gateway.forget(person.id, &caller.who).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Gateway {
    /// Deletes somebody, with what was counted and not written yet.
    pub(super) async fn forget(
        self: &Arc<Self>,
        person: crate::people::PersonId,
        who: &str,
    ) -> Result<(), ApiError> {
        blocking(self, |gateway| Ok(gateway.keys.close()?)).await?;
        self.sync.forget(person).await?;
        self.people.forget(person, who).await?;
        // Their attachments' bytes go now; where files cannot be reached, later.
        if let Err(error) = self.attachments.collect().await {
            tracing::warn!(%error, "files of somebody who is gone are not removed yet");
        }
        Ok(())
    }
}

/// For what waits for the database's lock.
async fn blocking<T: Send + 'static>(
    gateway: &Arc<Gateway>,
    work: impl FnOnce(&Gateway) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let gateway = Arc::clone(gateway);
    let done = tokio::task::spawn_blocking(move || work(&gateway)).await;
    done.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?
}
