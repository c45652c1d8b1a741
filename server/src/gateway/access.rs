//! Who asks, and may they? The one place that decides it.
//!
//! A request with a key is the key's, and a person's key never does more than its person may. One with a
//! session's cookie is its person's, if this server's own page sent it or it changes nothing. Without
//! either it can be this server's own page, which a browser tells apart from other sites: `Origin` and
//! `Sec-Fetch-Site` cannot be set by a page's script, and `Portico-Page` cannot be sent to another
//! origin without its leave. Programs can send all three: `[access] page` therefore opens the server's
//! models to whoever reaches the server, until somebody has an account; from then on whoever is not
//! signed in is a guest, and what a guest may the house's rules say.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use portico_shared::error::{ApiError, ErrorCode};

use super::Gateway;
use crate::http_error::HttpError;
use crate::keys::{Key, TokenQuota, UsedUp};
use crate::metrics::Peer;
use crate::people::{May, Person, PersonId, Rights, Role, Scope, cookie_for};

/// A page's own header, where a browser sends no other sign of its origin.
const PAGE_HEADER: &str = "portico-page";
/// Under which the page's use is counted.
const PAGE: &str = "page";

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Under which use is counted: a key's id, a person's, or the page.
    pub who: String,
    /// For the log.
    pub name: String,
    /// When it comes to documents.
    pub rights: Rights,
    /// What the rules allow.
    pub may: Arc<May>,
    /// A key's own list. None: all.
    models: Option<Vec<String>>,
    has_key: bool,
    person: Option<(PersonId, Role)>,
    session: Option<String>,
    used_up: Option<UsedUp>,
}

impl Caller {
    pub fn has_key(&self) -> bool {
        self.has_key
    }

    /// Who is signed in, or whose key it is; nobody where the page asks for whoever sits at it.
    pub fn person(&self) -> Option<PersonId> {
        self.person.map(|(id, _)| id)
    }

    pub fn role(&self) -> Option<Role> {
        self.person.map(|(_, role)| role)
    }

    /// The session's id.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// # Errors
    /// `sign_in_needed`
    pub fn signed_in(&self) -> Result<PersonId, ApiError> {
        self.person().ok_or_else(|| ApiError::new(ErrorCode::SignInNeeded))
    }

    /// Whose chats may lie on the server.
    ///
    /// # Errors
    /// `sign_in_needed`, `chats_stay_on_device`.
    pub fn may_sync(&self) -> Result<PersonId, ApiError> {
        let person = self.signed_in()?;
        match self.may.chats_leave_device {
            true => Ok(person),
            false => Err(ApiError::new(ErrorCode::ChatsStayOnDevice)),
        }
    }

    /// Who decides about their own account: nobody does it by a key.
    ///
    /// # Errors
    /// `sign_in_needed`
    pub fn in_person(&self) -> Result<PersonId, ApiError> {
        match self.has_key {
            true => Err(ApiError::new(ErrorCode::SignInNeeded)),
            false => self.signed_in(),
        }
    }

    /// # Errors
    /// `sign_in_needed`, `administrator_needed`.
    pub fn admin(&self) -> Result<(), ApiError> {
        match self.person {
            Some((_, Role::Admin)) => Ok(()),
            None if !self.has_key => Err(ApiError::new(ErrorCode::SignInNeeded)),
            _ => Err(ApiError::new(ErrorCode::AdministratorNeeded)),
        }
    }

    /// # Errors
    /// `model_forbidden`; `place_forbidden` where it may run on the device.
    pub fn may_use(&self, model: &str) -> Result<(), ApiError> {
        if self.sees(model) {
            return Ok(());
        }
        let is_for_device = self.key_allows(model) && self.may.uses_on_device(model);
        let code = match is_for_device {
            true => ErrorCode::PlaceForbidden,
            false => ErrorCode::ModelForbidden,
        };
        Err(ApiError::new(code).with("model", model))
    }

    /// Whether a model is on this caller's lists.
    pub fn sees(&self, model: &str) -> bool {
        self.key_allows(model) && self.may.uses_on_server(model)
    }

    /// Whether tokens are left for today and this month.
    ///
    /// # Errors
    /// `quota_used_up`
    pub fn may_spend(&self) -> Result<(), ApiError> {
        match &self.used_up {
            Some(used_up) => Err(used_up.error(ErrorCode::PersonQuotaUsedUp)),
            None => Ok(()),
        }
    }

    fn key_allows(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.iter().any(|name| name == model))
    }

    fn of_person(
        person: &Person,
        may: May,
        session: Option<String>,
        used_up: Option<UsedUp>,
    ) -> Self {
        let who = person.id.to_string();
        Self {
            rights: Rights::new(&who, &person.groups, person.role == Role::Admin),
            who,
            name: person.name.clone(),
            may: Arc::new(may),
            models: None,
            has_key: false,
            person: Some((person.id, person.role)),
            session,
            used_up,
        }
    }

    /// Whoever the page sits before, or a guest.
    fn of_page(may: May, manages: bool) -> Self {
        Self {
            who: PAGE.to_owned(),
            name: PAGE.to_owned(),
            rights: Rights::new(PAGE, &[], manages),
            may: Arc::new(may),
            models: None,
            has_key: false,
            person: None,
            session: None,
            used_up: None,
        }
    }

    /// A key of the house.
    fn of_key(key: Key) -> Self {
        Self {
            rights: Rights::new(&key.id, &key.groups, key.is_admin),
            who: key.id,
            name: key.name,
            may: Arc::new(May::everything()),
            models: key.limits.models,
            has_key: true,
            person: None,
            session: None,
            used_up: None,
        }
    }

    /// A person's key: what both allow.
    fn of_persons_key(key: Key, person: &Person, may: May, used_up: Option<UsedUp>) -> Self {
        let is_theirs = |group: &String| person.groups.contains(group);
        let groups: Vec<String> = key.groups.into_iter().filter(is_theirs).collect();
        let is_admin = key.is_admin && person.role == Role::Admin;
        Self {
            rights: Rights::new(&key.id, &groups, is_admin),
            who: key.id,
            name: key.name,
            may: Arc::new(may),
            models: key.limits.models,
            has_key: true,
            person: Some((person.id, person.role)),
            session: None,
            used_up,
        }
    }
}

#[cfg(test)]
impl Caller {
    pub fn named(who: &str) -> Self {
        let rights = Rights::new(who, &[], false);
        let page = Self::of_page(May::everything(), false);
        Self { who: who.to_owned(), name: who.to_owned(), rights, has_key: true, ..page }
    }
}

impl FromRequestParts<Arc<Gateway>> for Caller {
    type Rejection = HttpError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, HttpError> {
        if let Some(key) = bearer(&parts.headers) {
            return Ok(gateway.caller_of_key(key, parts).await?);
        }
        let config = &gateway.config;
        let is_own = is_own_page(&parts.headers, config.server.public_url.as_ref());
        if let Some((person, may, session)) = gateway.signed_in(parts).await? {
            // A browser sends the cookie also with what another site made it send.
            if !is_own && !parts.method.is_safe() {
                return Err(ErrorCode::CrossSite.into());
            }
            let used_up = gateway.used_up(&person, &may).await?;
            return Ok(Self::of_person(&person, may, session, used_up));
        }
        let is_loopback = config.server.addr.ip().is_loopback();
        let page_may = is_own && config.access.page.holds(is_loopback);
        if gateway.people.has_any().await? {
            let may = if page_may { gateway.people.may_of_guest().await? } else { None };
            // A program without a key is told of keys, a browser of signing in.
            let refused = if is_own { ErrorCode::SignInNeeded } else { ErrorCode::InvalidApiKey };
            return may.map(|may| Self::of_page(may, false)).ok_or_else(|| refused.into());
        }
        if page_may {
            // A public address means a proxy, and others than who sits at this machine.
            let is_alone = is_loopback && config.server.public_url.is_none();
            let manages = config.access.page_manages.holds(is_alone);
            return Ok(Self::of_page(May::everything(), manages));
        }
        Err(ErrorCode::InvalidApiKey.into())
    }
}

impl Gateway {
    async fn caller_of_key(&self, text: &str, parts: &Parts) -> Result<Caller, ApiError> {
        let key = self.keys.admit(text).await?;
        if let Some(scope) = Scope::of_request(&parts.method, parts.uri.path())
            && !scope.is_in(key.scopes.as_deref())
        {
            return Err(ApiError::new(ErrorCode::ScopeMissing).with("scope", scope.as_str()));
        }
        let Some(id) = key.person else { return Ok(Caller::of_key(key)) };
        let standing = self.people.standing(id).await?;
        let (person, may) = standing.ok_or_else(|| ApiError::new(ErrorCode::InvalidApiKey))?;
        let used_up = self.used_up(&person, &may).await?;
        Ok(Caller::of_persons_key(key, &person, may, used_up))
    }

    /// By a session's cookie, or by a proxy that vouches for somebody.
    async fn signed_in(
        &self,
        parts: &Parts,
    ) -> Result<Option<(Person, May, Option<String>)>, ApiError> {
        if let Some(hash) = cookie_for(&parts.headers, self.is_https())
            && let Some(found) = self.people.signed_in(hash).await?
        {
            return Ok(Some((found.person, found.may, Some(found.session))));
        }
        let config = &self.config.people;
        let Some(name) = &config.trusted_header else { return Ok(None) };
        let peer = parts.extensions.get::<Peer>().map(|Peer(addr)| addr.ip().to_canonical());
        if !peer.is_some_and(|peer| config.proxies.contains(&peer)) {
            return Ok(None);
        }
        let named = parts.headers.get(name).and_then(|value| value.to_str().ok());
        let Some(named) = named.filter(|named| !named.trim().is_empty()) else { return Ok(None) };
        let (person, may) = self.people.vouched_for(named).await?;
        Ok(Some((person, may, None)))
    }

    async fn used_up(&self, person: &Person, may: &May) -> Result<Option<UsedUp>, ApiError> {
        let quota = TokenQuota { per_day: may.tokens_per_day, per_month: may.tokens_per_month };
        self.keys.used_up(person.id.to_string(), quota).await
    }
}

/// A request of this server's own page, signed in or not.
#[derive(Clone, Copy, Debug)]
pub struct OwnPage;

impl FromRequestParts<Arc<Gateway>> for OwnPage {
    type Rejection = HttpError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, HttpError> {
        match is_own_page(&parts.headers, gateway.config.server.public_url.as_ref()) {
            true => Ok(Self),
            false => Err(ErrorCode::CrossSite.into()),
        }
    }
}

/// From where somebody asks: the other end, or whom a proxy that is listed names.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub Option<IpAddr>);

impl FromRequestParts<Arc<Gateway>> for Address {
    type Rejection = HttpError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, HttpError> {
        let peer = parts.extensions.get::<Peer>().map(|Peer(addr)| addr.ip().to_canonical());
        let proxies = &gateway.config.people.proxies;
        Ok(Self(peer.map(|peer| address_behind(peer, &parts.headers, proxies))))
    }
}

/// The last address of `X-Forwarded-For` that is none of our proxies': those before it anybody can write.
fn address_behind(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let forwarded = headers.get_all("x-forwarded-for").iter();
    let hops = forwarded.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let hops: Vec<&str> = hops.map(str::trim).collect();
    let mut address = peer;
    for hop in hops.into_iter().rev() {
        if !proxies.contains(&address) {
            break;
        }
        let Ok(next) = hop.parse::<IpAddr>() else { break };
        address = next.to_canonical();
    }
    address
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
    fn only_proxies_that_are_listed_say_for_whom_they_ask() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let headers = headers(&[("x-forwarded-for", "6.6.6.6, 10.0.0.7, 10.0.0.2")]);
        let behind = |peer: &str, proxies: &[&str]| {
            let proxies: Vec<IpAddr> = proxies.iter().map(|text| address(text)).collect();
            address_behind(address(peer), &headers, &proxies)
        };
        assert_eq!(behind("10.0.0.1", &[]), address("10.0.0.1"));
        assert_eq!(behind("10.0.0.1", &["10.0.0.1"]), address("10.0.0.2"));
        assert_eq!(behind("10.0.0.1", &["10.0.0.1", "10.0.0.2"]), address("10.0.0.7"));
        assert_eq!(behind("10.0.0.9", &["10.0.0.1"]), address("10.0.0.9"));
    }

    #[test]
    fn a_key_is_a_bearer() {
        assert_eq!(bearer(&headers(&[("authorization", "bearer  x ")])), Some("x"));
        assert_eq!(bearer(&headers(&[("authorization", "Basic x")])), None);
        assert_eq!(bearer(&headers(&[])), None);
    }
}
