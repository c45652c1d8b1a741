//! `/api/oidc`, `/api/people/oidc`: the browser's way there and back, and the house's rules.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::rules::{OidcRules, Outcome};
use super::{Oidc, Vouched, token};
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::http_error::HttpError;
use crate::people::audit::Entry;
use crate::people::session::External;
use crate::people::store::{self, NewPerson};
use crate::people::{People, PersonId, Role};

const COOKIE: &str = "portico_oidc";
/// Under which the rules are kept.
const RULES: &str = "oidc";
const NO_STORE: (header::HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// The browser goes to the service.
pub async fn start(State(gateway): State<Arc<Gateway>>) -> Result<Response, HttpError> {
    let (to, state) = gateway.oidc()?.begin().await?;
    let mut response = redirect(&to)?;
    response.headers_mut().append(header::SET_COOKIE, gateway.state_cookie(&state, 600)?);
    Ok(response)
}

#[derive(Deserialize)]
pub struct Answer {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    iss: Option<String>,
    error: Option<String>,
}

/// It comes back: signed in, or with the error's code behind `#`, whose sentence the page shows.
pub async fn callback(
    State(gateway): State<Arc<Gateway>>,
    Query(answer): Query<Answer>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let mut response = match gateway.finish_oidc(answer, &headers).await {
        Ok(secret) => {
            let mut response = redirect("/")?;
            response.headers_mut().append(header::SET_COOKIE, gateway.cookie(&secret)?);
            response
        }
        Err(error) => {
            tracing::info!(code = %error.code, detail = error.detail, "a sign-in was refused");
            let outcome = error.code.as_str().to_owned();
            let entry = Entry { outcome, ..Entry::act("nobody", "sign_in", "oidc") };
            gateway.people.audit.note(entry);
            redirect(&format!("/#/sign-in/{}", error.code))?
        }
    };
    response.headers_mut().append(header::SET_COOKIE, gateway.state_cookie("", 0)?);
    Ok(response)
}

/// The service says that somebody signed out there.
pub async fn backchannel_logout(
    State(gateway): State<Arc<Gateway>>,
    body: Bytes,
) -> Result<impl IntoResponse, HttpError> {
    let oidc = gateway.oidc()?;
    let mut fields = url::form_urlencoded::parse(&body);
    let logout_token = fields.find(|(name, _)| name == "logout_token");
    let logout_token = logout_token.ok_or_else(|| token::invalid("it is missing"))?.1.into_owned();
    let claims = oidc.logout_claims(logout_token).await?;
    let issuer = oidc.issuer().to_owned();
    let claim = |name| token::text(&claims, name).map(str::to_owned);
    let (sid, subject) = (claim("sid"), claim("sub"));
    let ended = gateway.people.db.call(move |connection| {
        let sql = "DELETE FROM sessions WHERE (oidc_sid = ?1 OR ?1 IS NULL)
            AND person IN (SELECT id FROM people WHERE issuer = ?2 AND (subject = ?3 OR ?3 IS NULL))
            AND (?1 IS NOT NULL OR id_token IS NOT NULL)";
        connection.execute(sql, (sid, issuer, subject))
    });
    let n_ended = ended.await.map_err(ApiError::from)?;
    tracing::info!(n_ended, "signed out by the sign-in service");
    Ok((StatusCode::OK, [NO_STORE]))
}

pub async fn rules(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    Ok(([NO_STORE], Json(gateway.people.oidc_rules().await?)))
}

pub async fn set_rules(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let rules: OidcRules = body.read()?;
    check(&rules)?;
    let json = json!(rules).to_string();
    let sql = "INSERT INTO house (name, value) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let set = gateway.people.db.call(move |connection| connection.execute(sql, (RULES, json)));
    set.await.map_err(ApiError::from)?;
    gateway.people.audit.note(Entry::act(&caller.who, "oidc_rules_changed", ""));
    Ok(StatusCode::NO_CONTENT)
}

/// Rules to be tried against a token, or its claims, that was pasted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Try {
    token: String,
    /// None: those that hold.
    rules: Option<OidcRules>,
}

pub async fn try_rules(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let Try { token, rules } = body.read()?;
    let claims = token::claims_unchecked(&token)?;
    let rules = match rules {
        Some(rules) => rules,
        None => gateway.people.oidc_rules().await?,
    };
    check(&rules)?;
    let outcome = rules.apply(&claims);
    Ok(([NO_STORE], Json(json!({ "outcome": outcome, "claims": claims }))))
}

fn check(rules: &OidcRules) -> Result<(), ApiError> {
    rules.fault().map_or(Ok(()), |fault| Err(store::invalid("rules", fault)))
}

fn redirect(to: &str) -> Result<Response, ApiError> {
    let internal = |error| ApiError::new(ErrorCode::Internal).detail(error);
    let to = HeaderValue::from_str(to).map_err(internal)?;
    Ok((StatusCode::SEE_OTHER, [NO_STORE, (header::LOCATION, to)]).into_response())
}

impl Gateway {
    pub(in crate::people) fn oidc(&self) -> Result<&Oidc, ApiError> {
        self.oidc.as_ref().ok_or_else(|| ApiError::new(ErrorCode::OidcOff))
    }

    fn state_cookie(&self, state: &str, max_age_s: u64) -> Result<HeaderValue, ApiError> {
        let secure = if self.is_https() { "; Secure" } else { "" };
        let text = format!(
            "{COOKIE}={state}; Path=/api/oidc; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}"
        );
        HeaderValue::from_str(&text)
            .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))
    }

    async fn finish_oidc(&self, answer: Answer, headers: &HeaderMap) -> Result<String, ApiError> {
        let oidc = self.oidc()?;
        if let Some(error) = answer.error {
            return Err(ApiError::new(ErrorCode::OidcCodeRefused).detail(error));
        }
        let kept = state_of(headers);
        let vouched =
            oidc.finish(&answer.state, kept.as_deref(), answer.code, answer.iss.as_deref()).await?;
        let external = External {
            sid: token::text(&vouched.claims, "sid").map(str::to_owned),
            id_token: Some(vouched.id_token.clone()),
        };
        let person = self.people.take_in(vouched).await?;
        self.people.audit.note(Entry::act(&person.to_string(), "sign_in", "oidc"));
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        self.people.begin_session(person, agent.unwrap_or_default().to_owned(), external).await
    }

    /// Where somebody goes whose session ends, to sign out of the service too.
    pub(in crate::people) async fn end_session_url(&self, session: &str) -> Option<String> {
        let oidc = self.oidc.as_ref()?;
        oidc.end_session_url(self.people.id_token(session).await?).await
    }
}

fn state_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.trim() == COOKIE).map(|(_, value)| value.trim().to_owned())
}

impl People {
    /// What the house makes of whom the service vouches for; rules that cannot be read let nobody in.
    pub async fn oidc_rules(&self) -> Result<OidcRules, ApiError> {
        Ok(self.db.call(|connection| kept_rules(connection)).await?)
    }

    /// The person whom the service vouches for: known by issuer and subject alone, for a name or an
    /// address there is nobody's here.
    ///
    /// # Errors
    /// `oidc_not_invited`, `person_blocked`.
    async fn take_in(&self, vouched: Vouched) -> Result<PersonId, ApiError> {
        let taken = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let outcome = kept_rules(&transaction)?.apply(&vouched.claims);
            let Some(role) = outcome.role else {
                return Ok(Err(ApiError::new(ErrorCode::OidcNotInvited)));
            };
            let sql = "SELECT id, blocked_s FROM people WHERE issuer = ?1 AND subject = ?2";
            let found = transaction.query_row(sql, (&vouched.issuer, &vouched.subject), |row| {
                Ok((row.get::<_, PersonId>(0)?, row.get::<_, Option<i64>>(1)?.is_some()))
            });
            let id = match found.optional()? {
                Some((_, true)) => return Ok(Err(ApiError::new(ErrorCode::PersonBlocked))),
                Some((id, false)) => {
                    renew(&transaction, id, &outcome)?;
                    id
                }
                None => insert(&transaction, &vouched, role)?,
            };
            store::set_groups(&transaction, id, &outcome.groups, "oidc")?;
            transaction.commit()?;
            Ok(Ok(id))
        });
        taken.await?
    }
}

fn kept_rules(connection: &Connection) -> sql::Result<OidcRules> {
    let sql = "SELECT value FROM house WHERE name = ?1";
    let kept: Option<String> = connection.query_row(sql, [RULES], |row| row.get(0)).optional()?;
    let nobody = OidcRules { default_role: None, rules: Vec::new() };
    Ok(match kept {
        Some(kept) => serde_json::from_str(&kept).unwrap_or(nobody),
        None => OidcRules::default(),
    })
}

/// A role that a rule gives, but never the last administrator's away.
fn renew(connection: &Connection, id: PersonId, outcome: &Outcome) -> sql::Result<()> {
    let Some(role) = outcome.role.filter(|_| outcome.is_by_rule) else { return Ok(()) };
    if role == Role::Admin || store::has_other_admin(connection, id)? {
        connection.execute("UPDATE people SET role = ?2 WHERE id = ?1", (id, role))?;
    }
    Ok(())
}

fn insert(connection: &Connection, vouched: &Vouched, role: Role) -> sql::Result<PersonId> {
    let claims: &Map<String, Value> = &vouched.claims;
    let claimed = ["preferred_username", "email"]
        .iter()
        .find_map(|name| token::text(claims, name).and_then(|text| store::sign_in_name(text).ok()));
    let name = claimed.unwrap_or_else(|| format!("person-{}", PersonId::new()));
    let display_name = token::text(claims, "name").and_then(|text| store::display_name(text).ok());
    let email = token::text(claims, "email").and_then(|text| store::email(text).ok()).flatten();
    let mut new = NewPerson {
        name: name.clone(),
        display_name: display_name.unwrap_or_else(|| name.clone()),
        email,
        role,
        password: None,
        groups: Vec::new(),
    };
    // A name that somebody has already stays theirs.
    let mut n = 1;
    let id = loop {
        if let Some(id) = store::insert(connection, &new)? {
            break id;
        }
        n += 1;
        new.name = format!("{name}-{n}");
    };
    let sql = "UPDATE people SET issuer = ?2, subject = ?3 WHERE id = ?1";
    connection.execute(sql, (id, &vouched.issuer, &vouched.subject))?;
    Ok(id)
}
