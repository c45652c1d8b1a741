//! Which database does the server use?

use std::path::PathBuf;

use serde::Deserialize;

use super::Secret;

/// `[database]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://user@host:5432/name`; unset: a SQLite file in the data folder. With a password only
    /// where it comes from the environment.
    pub url: Option<String>,
    pub password: Option<Secret>,
    /// Certificates (PEM) of those who vouch for the server, in place of the machine's authorities.
    pub ca_file: Option<PathBuf>,
}

impl DatabaseConfig {
    /// The key that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        let Some(url) = &self.url else { return Ok(()) };
        let is_postgres = ["postgres://", "postgresql://"].iter().any(|s| url.starts_with(s));
        if !is_postgres {
            return Err(("url", "must start with postgres://".to_owned()));
        }
        // What the parser says may quote the password.
        url.parse::<postgres::Config>()
            .map(|_| ())
            .map_err(|_| ("url", "is none such as postgres://user@host:5432/name".to_owned()))
    }

    /// Whether a secret stands where it may be read by others.
    pub(super) fn holds_password(&self) -> bool {
        let parsed = self.url.as_ref().and_then(|url| url.parse::<postgres::Config>().ok());
        parsed.is_some_and(|parsed| parsed.get_password().is_some())
    }
}
