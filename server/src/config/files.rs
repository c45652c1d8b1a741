//! Where do the documents' files lie?

use std::path::PathBuf;
use std::time::Duration;

use axum::http::Uri;
use serde::{Deserialize, Deserializer};

use super::Secret;
use super::file::{seconds, url};

/// `[files]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesConfig {
    pub store: Store,
    /// It must be there already.
    pub bucket: Option<String>,
    /// Unset: Amazon's own, in `region`.
    #[serde(deserialize_with = "endpoint")]
    pub endpoint: Option<Uri>,
    pub region: String,
    /// Below it the files lie; one for each data folder.
    pub prefix: String,
    /// `endpoint/bucket/…`, as most storage has it; else `bucket.endpoint/…`.
    pub path_style: bool,
    pub access_key: Secret,
    pub secret_key: Secret,
    /// Certificates (PEM) of those who vouch for the endpoint, in place of the machine's authorities.
    pub ca_file: Option<PathBuf>,
    /// Until an answer begins, and between two pieces of it.
    #[serde(rename = "timeout_s", deserialize_with = "seconds")]
    pub timeout: Duration,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// `files/` in the data folder.
    #[default]
    Folder,
    S3,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self {
            store: Store::Folder,
            bucket: None,
            endpoint: None,
            region: "us-east-1".to_owned(),
            prefix: String::new(),
            path_style: true,
            access_key: Secret::Env("AWS_ACCESS_KEY_ID".to_owned()),
            secret_key: Secret::Env("AWS_SECRET_ACCESS_KEY".to_owned()),
            ca_file: None,
            timeout: Duration::from_secs(30),
        }
    }
}

impl FilesConfig {
    /// The key that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        let is_named = |name: &str| {
            (3..=63).contains(&name.len())
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-'))
        };
        match &self.bucket {
            None if self.store == Store::S3 => {
                return Err(("store", "`store = \"s3\"` needs a `bucket`".to_owned()));
            }
            Some(name) if !is_named(name) => {
                return Err(("bucket", format!("`{name}` is no name of a bucket")));
            }
            _ => {}
        }
        let is_part = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        };
        match self.prefix.is_empty() || self.prefix.split('/').all(is_part) {
            true => Ok(()),
            false => {
                let reason = format!("the prefix `{}` is no path such as a/b", self.prefix);
                Err(("prefix", reason))
            }
        }
    }
}

fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uri>, D::Error> {
    url(deserializer).map(Some)
}
