//! Who asks, and may they? The one place that decides it.
//!
//! A request with a key is the key's. Without one it can be this server's own page, which a browser
//! tells apart from other sites: `Origin` and `Sec-Fetch-Site` cannot be set by a page's script, and
//! `Portico-Page` cannot be sent to another origin without its leave. Programs can send all three:
//! `[access] page` therefore opens the server's models to whoever reaches the server.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use portico_shared::error::{ApiError, ErrorCode};

use super::Gateway;
use crate::http_error::HttpError;
use crate::people::{PersonId, Rights, Role, SignedIn, cookie_of};

/// A page's own header, where a browser sends no other sign of its origin.
const PAGE_HEADER: &str = "portico-page";
/// Under which the page's use is counted.
const PAGE: &str = "page";

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Under which use is counted: a key's id, or the page.
    pub who: String,
    /// For the log.
    pub name: String,
    /// When it comes to documents.
    pub rights: Rights,
    /// None: all.
    models: Option<Vec<String>>,
    has_key: bool,
    person: Option<PersonId>,
}

impl Caller {
    /// Who is signed in, or whose key it is; nobody where the page asks for whoever sits at it.
    pub fn person(&self) -> Option<PersonId> {
        self.person
    }

    /// # Errors
    /// `sign_in_needed`
    pub fn signed_in(&self) -> Result<PersonId, ApiError> {
        self.person.ok_or_else(|| ApiError::new(ErrorCode::SignInNeeded))
    }

    fn of_session(signed_in: SignedIn) -> Self {
        let person = signed_in.person;
        let who = person.id.to_string();
        Self {
            rights: Rights::new(&who, &person.groups, person.role == Role::Admin),
            who,
            name: person.name,
            models: None,
            has_key: false,
            person: Some(person.id),
        }
    }

    pub fn has_key(&self) -> bool {
        self.has_key
    }

    /// # Errors
    /// `model_forbidden`
    pub fn may_use(&self, model: &str) -> Result<(), ApiError> {
        match self.sees(model) {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::ModelForbidden).with("model", model)),
        }
    }

    /// Whether a model is on this caller's list.
    pub fn sees(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.iter().any(|name| name == model))
    }
}

#[cfg(test)]
impl Caller {
    pub fn named(who: &str) -> Self {
        let rights = Rights::new(who, &[], false);
        Self {
            who: who.to_owned(),
            name: who.to_owned(),
            rights,
            models: None,
            has_key: true,
            person: None,
        }
    }
}

impl FromRequestParts<Arc<Gateway>> for Caller {
    type Rejection = HttpError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, HttpError> {
        if let Some(key) = bearer(&parts.headers) {
            let key = gateway.keys.admit(key).await?;
            return Ok(Self {
                rights: Rights::new(&key.id, &key.groups, key.is_admin),
                who: key.id,
                name: key.name,
                models: key.limits.models,
                has_key: true,
                person: None,
            });
        }
        let config = &gateway.config;
        let is_own = is_own_page(&parts.headers, config.server.public_url.as_ref());
        if let Some(session) = cookie_of(&parts.headers)
            && let Some(signed_in) = gateway.people.signed_in(session).await?
        {
            // A browser sends the cookie also with what another site made it send.
            return match is_own || parts.method.is_safe() {
                true => Ok(Self::of_session(signed_in)),
                false => Err(ErrorCode::CrossSite.into()),
            };
        }
        let is_loopback = config.server.addr.ip().is_loopback();
        let page_may = config.access.page.holds(is_loopback);
        if page_may && is_own {
            // A public address means a proxy, and others than who sits at this machine.
            let is_alone = is_loopback && config.server.public_url.is_none();
            // Once people sign in, who did not is a guest.
            let manages = config.access.page_manages.holds(is_alone);
            let manages = manages && !gateway.people.has_any().await?;
            let rights = Rights::new(PAGE, &[], manages);
            let (who, name) = (PAGE.to_owned(), PAGE.to_owned());
            return Ok(Self { who, name, rights, models: None, has_key: false, person: None });
        }
        Err(ErrorCode::InvalidApiKey.into())
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

/// Whether a browser says that this server's own page asks.
fn is_own_page(headers: &HeaderMap, public_url: Option<&Uri>) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    if let Some(origin) = text("origin") {
        let Ok(origin) = origin.parse::<Uri>() else { return false };
        let Some(asked) = origin.authority() else { return false };
        let is_host = text("host").is_some_and(|host| asked.as_str().eq_ignore_ascii_case(host));
        let is_public = public_url.and_then(Uri::authority) == Some(asked);
        return is_host || is_public;
    }
    headers.contains_key(PAGE_HEADER)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair =
            |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_page_of_another_origin_is_not_ours() {
        #[track_caller]
        fn check(pairs: &[(&'static str, &'static str)], expected: bool) {
            let public = Uri::from_static("https://chat.example.org/");
            assert_eq!(is_own_page(&headers(pairs), Some(&public)), expected, "{pairs:?}");
        }
        let host = ("host", "localhost:8080");
        check(&[host], false);
        check(&[host, ("origin", "http://localhost:8080")], true);
        check(&[host, ("origin", "https://chat.example.org")], true);
        check(&[host, ("origin", "http://evil.example")], false);
        check(&[host, ("origin", "null")], false);
        check(&[host, ("sec-fetch-site", "same-origin")], true);
        check(&[host, ("sec-fetch-site", "cross-site"), ("portico-page", "1")], false);
        check(&[host, ("sec-fetch-site", "none")], false);
        check(&[host, ("portico-page", "1")], true);
        check(&[host, ("origin", "http://evil.example"), ("portico-page", "1")], false);
    }

    #[test]
    fn a_key_is_a_bearer() {
        assert_eq!(bearer(&headers(&[("authorization", "bearer  x ")])), Some("x"));
        assert_eq!(bearer(&headers(&[("authorization", "Basic x")])), None);
        assert_eq!(bearer(&headers(&[])), None);
    }
}
