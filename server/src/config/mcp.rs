//! `[[mcp]]`: which servers of tools may answers of this house call?

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::Uri;
use serde::{Deserialize, Serialize};

use super::Secret;
use super::file::seconds;

const ID_MAX_BYTES: usize = 32;

/// A server of tools that speaks the Model Context Protocol.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpConfig {
    /// Its tools are called `id.name`.
    pub id: String,
    /// Where it answers, over streamable HTTP. Else `command`.
    #[serde(default, deserialize_with = "address")]
    pub url: Option<Uri>,
    /// Shown to it as a bearer's.
    pub api_key: Option<Secret>,
    /// Certificates (PEM) of those who vouch for it, in place of the machine's authorities.
    pub ca_file: Option<PathBuf>,
    /// A program that this server starts and speaks to over its standard input and output.
    pub command: Option<String>,
    #[serde(default)]
    pub args: Vec<String>,
    /// Its environment, beside `PATH` and `HOME`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Who may call its tools; without it whoever is signed in or has a key.
    pub groups: Option<Vec<String>>,
    #[serde(default)]
    pub confirm: Confirm,
    /// For single tools, by their name.
    #[serde(default)]
    pub confirm_tools: BTreeMap<String, Confirm>,
    /// Its tools that are there; without it all.
    pub tools: Option<BTreeSet<String>>,
    /// Those that are not.
    #[serde(default)]
    pub deny: BTreeSet<String>,
    #[serde(rename = "connect_s", default = "ten_seconds", deserialize_with = "seconds")]
    pub connect: Duration,
    /// How long one call may take.
    #[serde(rename = "call_s", default = "thirty_seconds", deserialize_with = "seconds")]
    pub call: Duration,
    /// Of one result as it comes; what is longer breaks the call.
    #[serde(default = "one_mebibyte")]
    pub max_result_bytes: usize,
}

/// Whether a person is asked before a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    #[default]
    Always,
    /// Until they said yes for a conversation.
    First,
    Never,
}

impl McpConfig {
    /// What types cannot say.
    ///
    /// # Errors
    /// Names what does not fit.
    pub fn check(&self) -> Result<(), String> {
        let id = &self.id;
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || id.len() > ID_MAX_BYTES || !id.chars().all(is_name) {
            return Err(format!(
                "`{id}` is no id of small letters, digits and `-`, at most {ID_MAX_BYTES} of them"
            ));
        }
        match (&self.url, &self.command) {
            (Some(_), None) => Ok(()),
            (None, Some(command)) if !command.is_empty() => Ok(()),
            _ => Err(format!("`{id}` needs either `url` or `command`")),
        }
    }

    pub fn confirm_of(&self, tool: &str) -> Confirm {
        self.confirm_tools.get(tool).copied().unwrap_or(self.confirm)
    }

    pub fn allows(&self, tool: &str) -> bool {
        let listed = self.tools.as_ref().is_none_or(|tools| tools.contains(tool));
        listed && !self.deny.contains(tool)
    }
}

fn address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Uri>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let uri: Uri = text.parse().map_err(serde::de::Error::custom)?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(authority)) if !authority.as_str().contains('@') => {
            Ok(Some(uri))
        }
        _ => Err(serde::de::Error::custom(
            "it must start with http:// or https:// and name a host, without a password",
        )),
    }
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

fn thirty_seconds() -> Duration {
    Duration::from_secs(30)
}

fn one_mebibyte() -> usize {
    1 << 20
}
