//! What may documents take, and where may they come from?

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::file::seconds;
use super::vectors::VectorsConfig;

/// `[documents]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentsConfig {
    pub max_file_bytes: u64,
    /// Of all files together; unset: what the disk holds.
    pub max_total_bytes: Option<u64>,
    /// The model that makes the vectors of new collections; `none`: they are searched by words alone.
    pub embedder: Option<String>,
    /// Files that are read at once; each in a process of its own.
    pub max_extracting: Option<usize>,
    /// How long one file may be read.
    #[serde(rename = "extract_s", deserialize_with = "seconds")]
    pub extract: Duration,
    pub extract_memory_bytes: u64,
    /// How long an upload may take.
    #[serde(rename = "upload_s", deserialize_with = "seconds")]
    pub upload: Duration,
    /// Hosts that may be crawled: `www.example.org`, or `*.example.org` with all below it.
    #[serde(deserialize_with = "hosts")]
    pub crawl_hosts: Vec<String>,
    /// Whether a crawl may reach addresses of this machine and of private networks.
    pub crawl_private: bool,
    pub crawl_max_pages: usize,
    /// Links away from the start.
    pub crawl_max_depth: usize,
    pub crawl_max_bytes: u64,
    #[serde(rename = "crawl_s", deserialize_with = "seconds")]
    pub crawl: Duration,
    /// Between two requests to one host.
    #[serde(rename = "crawl_pace_s", deserialize_with = "seconds")]
    pub crawl_pace: Duration,
    pub vectors: VectorsConfig,
    /// The program that reads files, where it is not this one: tests are another.
    #[serde(skip)]
    pub reader: Option<PathBuf>,
}

impl Default for DocumentsConfig {
    fn default() -> Self {
        Self {
            max_file_bytes: 256 << 20,
            max_total_bytes: None,
            embedder: None,
            max_extracting: None,
            extract: Duration::from_secs(60),
            extract_memory_bytes: 1 << 30,
            upload: Duration::from_secs(3600),
            crawl_hosts: Vec::new(),
            crawl_private: false,
            crawl_max_pages: 2_000,
            crawl_max_depth: 8,
            crawl_max_bytes: 1 << 30,
            crawl: Duration::from_secs(3600),
            crawl_pace: Duration::from_millis(500),
            vectors: VectorsConfig::default(),
            reader: None,
        }
    }
}

/// A list, or one text with commas between (as the environment has it).
fn hosts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Hosts {
        One(String),
        Many(Vec<String>),
    }
    let hosts = match Hosts::deserialize(deserializer)? {
        Hosts::One(text) => text.split(',').map(str::to_owned).collect(),
        Hosts::Many(hosts) => hosts,
    };
    let hosts: Vec<String> = hosts.iter().map(|host| host.trim().to_ascii_lowercase()).collect();
    let is_host = |host: &str| {
        let name = host.strip_prefix("*.").unwrap_or(host);
        !name.is_empty()
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'))
    };
    match hosts.iter().find(|host| !is_host(host)) {
        Some(bad) => Err(serde::de::Error::custom(format!(
            "`{bad}` is no host such as www.example.org or *.example.org"
        ))),
        None => Ok(hosts),
    }
}
