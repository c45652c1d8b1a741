//! `/api/session`: who is signed in here, and what may they?

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode};
use serde::Serialize;

use super::{NO_STORE, agent};
use crate::gateway::{Address, Caller, Gateway, JsonBody, OwnPage};
use crate::http_error::HttpError;
use crate::people::audit::Entry;
use crate::people::session::set_cookie;
use crate::people::{Guests, May, Person, PersonId, SignIn};

/// Answer of `GET /api/session`.
#[derive(Serialize)]
struct Here {
    /// Null: nobody is signed in.
    person: Option<Person>,
    /// The session's id; null where a proxy or a key vouches for somebody.
    session: Option<String>,
    /// Whether every collection is theirs to manage.
    manages: bool,
    /// Null: nothing without signing in.
    may: Option<Arc<May>>,
    used: Option<Used>,
    house: HouseHere,
}

/// What somebody has used of what the rules limit.
#[derive(Default, Serialize)]
pub(super) struct Used {
    tokens_today: u64,
    tokens_this_month: u64,
    storage_bytes: u64,
}

#[derive(Serialize)]
struct HouseHere {
    /// Whether anybody has an account; without one the page is whoever sits at it.
    has_people: bool,
    guests: Guests,
    /// Whether the page reports counts of what ran on the device.
    audit_device_use: bool,
    /// Whether somebody may say what their device can do.
    asks_devices: bool,
    /// What the button of another service says; null: there is none.
    oidc: Option<String>,
    /// As the house calls itself; null: Portico.
    name: Option<String>,
    /// Where its logo lies.
    logo: Option<String>,
}

pub async fn get(
    State(gateway): State<Arc<Gateway>>,
    caller: Result<Caller, HttpError>,
) -> Result<impl IntoResponse, HttpError> {
    let caller = match caller {
        Ok(caller) => Some(caller),
        Err(error) => match error.error.code {
            // Whoever is not known is told how to become it.
            ErrorCode::SignInNeeded | ErrorCode::InvalidApiKey | ErrorCode::PersonBlocked => None,
            _ => return Err(error),
        },
    };
    Ok((NO_STORE, Json(gateway.here(caller).await?)))
}

pub async fn sign_in(
    State(gateway): State<Arc<Gateway>>,
    _: OwnPage,
    Address(address): Address,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, HttpError> {
    let asked: SignIn = body.read()?;
    let (secret, person) = gateway.people.sign_in(asked, address, agent(&headers)).await?;
    Ok(gateway.signed_in_answer(&secret, person).await?)
}

pub async fn sign_out(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Response, HttpError> {
    let person = caller.in_person()?;
    let mut end_session_url = None;
    if let Some(session) = caller.session() {
        end_session_url = gateway.end_session_url(session).await;
        gateway.people.end_session(person, session.to_owned()).await?;
        gateway.people.audit.note(Entry::act(&caller.who, "sign_out", ""));
    }
    let answer = serde_json::json!({ "end_session_url": end_session_url });
    let mut response = (NO_STORE, Json(answer)).into_response();
    if let Some(cookie) = set_cookie("", gateway.is_https(), 0) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

impl Gateway {
    pub(super) async fn used_by(&self, id: PersonId) -> Result<Used, ApiError> {
        let (today, month) = self.keys.spent(id.to_string()).await?;
        Ok(Used {
            tokens_today: today.tokens(),
            tokens_this_month: month.tokens(),
            storage_bytes: self.people.stored_bytes(id).await?,
        })
    }

    async fn here(&self, caller: Option<Caller>) -> Result<Here, ApiError> {
        let house = self.people.house().await?;
        let look = self.people.look().await?;
        let house = HouseHere {
            has_people: self.people.has_any().await?,
            guests: house.guests,
            audit_device_use: house.audit_device_use,
            asks_devices: self.usage.settings().await?.asks_devices,
            oidc: self.config.people.oidc.as_ref().map(|oidc| oidc.label.clone()),
            name: look.name,
            logo: look.logo,
        };
        let Some(caller) = caller else {
            let (person, session, may, used) = (None, None, None, None);
            return Ok(Here { person, session, manages: false, may, used, house });
        };
        let (person, used) = match caller.person() {
            Some(id) => (Some(self.people.one(id).await?), Some(self.used_by(id).await?)),
            None => (None, None),
        };
        Ok(Here {
            person,
            session: caller.session().map(str::to_owned),
            manages: caller.rights.is_admin,
            may: Some(Arc::clone(&caller.may)),
            used,
            house,
        })
    }

    /// What somebody gets who has just signed in: the cookie, and who they are.
    pub(super) async fn signed_in_answer(
        &self,
        secret: &str,
        person: PersonId,
    ) -> Result<Response, ApiError> {
        let person = self.people.one(person).await?;
        let answer = serde_json::json!({ "person": person });
        let mut response = (NO_STORE, Json(answer)).into_response();
        response.headers_mut().insert(header::SET_COOKIE, self.cookie(secret)?);
        Ok(response)
    }

    pub(crate) fn cookie(&self, secret: &str) -> Result<HeaderValue, ApiError> {
        let cookie = set_cookie(secret, self.is_https(), self.people.session_s);
        cookie.ok_or_else(|| ApiError::new(ErrorCode::Internal).detail("no cookie"))
    }
}
