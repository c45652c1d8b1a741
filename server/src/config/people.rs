//! How do people sign in?

use std::net::IpAddr;
use std::path::PathBuf;

use axum::http::{HeaderName, Uri};
use serde::{Deserialize, Deserializer};

use super::Secret;
use super::file::url;

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeopleConfig {
    /// How long somebody stays signed in.
    pub session_days: u32,
    /// Proxies whose `X-Forwarded-For`, and `trusted_header`, are believed.
    pub proxies: Vec<IpAddr>,
    /// The header in which such a proxy names who is signed in; whoever it names is.
    #[serde(deserialize_with = "header_name")]
    pub trusted_header: Option<HeaderName>,
    /// A service that signs people in.
    pub oidc: Option<OidcConfig>,
}

impl Default for PeopleConfig {
    fn default() -> Self {
        Self { session_days: 30, proxies: Vec::new(), trusted_header: None, oidc: None }
    }
}

/// An OpenID provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// Its address, below which `.well-known/openid-configuration` lies.
    #[serde(deserialize_with = "url")]
    pub issuer: Uri,
    pub client_id: String,
    /// None for a client that is public: PKCE alone proves then that the sign-in is ours.
    pub client_secret: Option<Secret>,
    /// What the page's button calls it.
    #[serde(default = "usual_label")]
    pub label: String,
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// Certificates (PEM) of those who vouch for it, in place of the machine's authorities.
    pub ca_file: Option<PathBuf>,
}

fn usual_label() -> String {
    "Single sign-on".to_owned()
}

fn usual_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

fn header_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HeaderName>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}
