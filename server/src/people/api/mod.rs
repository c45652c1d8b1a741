//! `/api/session`, `/api/me`, `/api/people`, …: who is signed in, and who decides about whom.
//!
//! `docs/people.md` describes each route.

mod audit;
mod groups;
mod links;
mod me;
mod people;
mod session;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::{delete, get, patch, post, put};

use crate::config::Config;
use crate::gateway::Gateway;
use crate::guard::{NO_STORE, Routes, routed};
use crate::people::{look, oidc};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Rules name models; nothing here is longer.
const MAX_BODY_BYTES: usize = 256 << 10;

pub fn router(gateway: Arc<Gateway>) -> Router {
    routed(&gateway, routes(), TIMEOUT, MAX_BODY_BYTES)
}

fn routes() -> Routes {
    vec![
        ("/api/session", get(session::get).post(session::sign_in).delete(session::sign_out)),
        ("/api/links/look", post(links::look)),
        ("/api/links/open", post(links::open)),
        ("/api/me", patch(me::change)),
        ("/api/me/password", post(me::change_password)),
        ("/api/me/totp", post(me::begin_totp).put(me::finish_totp)),
        ("/api/me/totp/off", post(me::end_totp)),
        ("/api/me/sessions", get(me::sessions).delete(me::end_other_sessions)),
        ("/api/me/sessions/{id}", delete(me::end_session)),
        ("/api/me/keys", get(me::keys).post(me::make_key)),
        ("/api/me/keys/{id}", delete(me::revoke_key)),
        ("/api/me/export", get(me::export)),
        ("/api/me/delete", post(me::delete)),
        ("/api/people", get(people::list)),
        ("/api/people/links", get(links::list).post(links::invite)),
        ("/api/people/links/{id}", delete(links::remove)),
        ("/api/people/{id}", get(people::one).patch(people::change).delete(people::delete)),
        ("/api/people/{id}/reset", post(links::reset)),
        ("/api/people/{id}/sign-out", post(people::sign_out)),
        ("/api/people/{id}/totp/off", post(people::end_totp)),
        ("/api/people/oidc", get(oidc::rules).put(oidc::set_rules)),
        ("/api/people/oidc/try", post(oidc::try_rules)),
        ("/api/oidc/start", get(oidc::start)),
        ("/api/oidc/callback", get(oidc::callback)),
        ("/api/oidc/backchannel-logout", post(oidc::backchannel_logout)),
        ("/api/groups", get(groups::list).post(groups::add)),
        ("/api/groups/{name}", patch(groups::change).delete(groups::remove)),
        ("/api/policy", get(groups::policy).put(groups::set_policy)),
        ("/api/look", get(look::get).put(look::set)),
        ("/api/look/logo", put(look::set_logo).delete(look::remove_logo)),
        ("/house.css", get(look::style)),
        ("/house/logo", get(look::logo)),
        ("/api/audit", get(audit::list)),
        ("/api/audit.csv", get(audit::csv)),
        ("/api/audit/device-use", post(audit::device_use)),
    ]
}

/// As a browser calls itself.
fn agent(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    agent.unwrap_or_default().to_owned()
}

impl Gateway {
    /// Whether browsers reach this server by HTTPS.
    pub(crate) fn is_https(&self) -> bool {
        self.config.server.public_url.as_ref().is_some_and(|url| url.scheme_str() == Some("https"))
    }
}

/// The page's address with a link's secret behind `#`, which stays in the browser.
pub fn link_address(config: &Config, secret: &str) -> String {
    let base = match &config.server.public_url {
        Some(url) => url.to_string(),
        None => format!("http://{}", config.server.addr),
    };
    format!("{}/#/link/{secret}", base.trim_end_matches('/'))
}
