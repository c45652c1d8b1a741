//! What can stand in `portico.toml`?
//!
//! Every key has its default here, and an unknown one is refused: a misspelt limit is no limit.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::Uri;
use portico_shared::catalogue::{Kind, Prefixes};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{DatabaseConfig, DocumentsConfig, FilesConfig, McpConfig, PeopleConfig, SearchConfig};

/// The whole configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub server: ServerConfig,
    pub access: AccessConfig,
    pub limits: LimitsConfig,
    pub inference: InferenceLimits,
    pub database: DatabaseConfig,
    pub documents: DocumentsConfig,
    pub files: FilesConfig,
    pub search: SearchConfig,
    pub people: PeopleConfig,
    /// Fleets that answer for this server.
    pub upstreams: Vec<Spanned<UpstreamConfig>>,
    /// Servers of tools.
    pub mcp: Vec<Spanned<McpConfig>>,
    /// Models by the names that clients ask for, beside those of the catalogue.
    pub models: Vec<Spanned<ModelConfig>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    pub addr: SocketAddr,
    /// Address under which people reach the server.
    #[serde(deserialize_with = "public_url")]
    pub public_url: Option<Uri>,
    /// Folder of a built page; else the one in the binary.
    pub page: Option<PathBuf>,
    pub max_connections: usize,
    /// How long running answers may take to finish when the server stops.
    #[serde(rename = "shutdown_grace_s", deserialize_with = "seconds")]
    pub shutdown_grace: Duration,
    pub log: LogFormat,
    /// The key that seals secrets in the database; else `secret.key` in the data folder.
    pub secret_key_file: Option<PathBuf>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            page: None,
            max_connections: 4096,
            shutdown_grace: Duration::from_secs(30),
            log: LogFormat::Text,
            secret_key_file: None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Who may use what.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessConfig {
    /// Whether this server's own page may use the server's models without a key.
    pub page: WhenLoopback,
    /// Whether it manages the documents too; by default only where no public address is set either.
    pub page_manages: WhenLoopback,
    pub metrics: MetricsReaders,
    /// Other sites whose pages may use this server's page in a hidden frame, with its rights.
    #[serde(deserialize_with = "origins")]
    pub embed_origins: Vec<String>,
}

/// A list, or one text with commas between (as the environment has it).
fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Origins {
        One(String),
        Many(Vec<String>),
    }
    let origins = match Origins::deserialize(deserializer)? {
        Origins::One(text) => text.split(',').map(|origin| origin.trim().to_owned()).collect(),
        Origins::Many(origins) => origins,
    };
    match origins.iter().find(|origin| !crate::embed::is_origin(origin)) {
        Some(bad) => Err(serde::de::Error::custom(format!(
            "`{bad}` is no origin such as https://intranet.example.org"
        ))),
        None => Ok(origins),
    }
}

/// A yes or no whose default depends on whether the server listens on this machine only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenLoopback {
    /// Yes on loopback, else no.
    #[default]
    Loopback,
    Always(bool),
}

impl WhenLoopback {
    pub fn holds(self, is_loopback: bool) -> bool {
        match self {
            Self::Loopback => is_loopback,
            Self::Always(answer) => answer,
        }
    }
}

impl<'de> Deserialize<'de> for WhenLoopback {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bool::deserialize(deserializer).map(Self::Always)
    }
}

/// Who may read `/metrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricsReaders {
    /// Programs on this machine that speak to the server directly.
    #[default]
    Loopback,
    /// Whoever has an API key.
    Key,
    Anyone,
    Nobody,
}

/// What one request may be.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    pub max_body_bytes: usize,
    pub max_prompt_tokens: usize,
    /// Texts of one embedding request, documents of one ranking, prompts of one completion.
    pub max_batch: usize,
    /// Choices of one request (`n`).
    pub max_choices: u32,
    /// From a request's arrival to its answer's end.
    #[serde(rename = "answer_s", deserialize_with = "seconds")]
    pub answer: Duration,
    /// Answers that outlive their connection, all together.
    pub max_kept_streams: usize,
    /// Bytes of one of them.
    pub max_kept_bytes: usize,
    /// How long one can be picked up after its end.
    #[serde(rename = "kept_s", deserialize_with = "seconds")]
    pub kept: Duration,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            max_body_bytes: 16 << 20,
            max_prompt_tokens: 1 << 20,
            max_batch: 2048,
            max_choices: 16,
            answer: Duration::from_secs(600),
            max_kept_streams: 256,
            max_kept_bytes: 4 << 20,
            kept: Duration::from_secs(600),
        }
    }
}

/// What models in this process may take; what is not said suits the machine.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InferenceLimits {
    pub device: portico_inference::Device,
    pub memory_bytes: Option<u64>,
    /// Requests that wait for one model.
    pub max_queue: Option<usize>,
    /// Answers of one model at a time.
    pub max_sequences: Option<usize>,
    /// Tokens of a context at most, whatever the model could hold.
    pub n_ctx_max: Option<u32>,
    pub n_threads: Option<usize>,
}

/// An OpenAI-compatible server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    pub id: String,
    /// Its base, with the version: `http://gpu1:8000/v1`.
    #[serde(deserialize_with = "base_url")]
    pub url: Uri,
    pub api_key: Option<Secret>,
    /// Certificates (PEM) of those who vouch for it, in place of the machine's authorities.
    pub ca_file: Option<PathBuf>,
    #[serde(rename = "connect_s", default = "five_seconds", deserialize_with = "seconds")]
    pub connect: Duration,
    /// Until the first byte of an answer.
    #[serde(rename = "first_byte_s", default = "two_minutes", deserialize_with = "seconds")]
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    #[serde(rename = "idle_s", default = "one_minute", deserialize_with = "seconds")]
    pub idle: Duration,
    /// How often its health is asked for; 0 never.
    #[serde(rename = "health_every_s", default = "ten_seconds", deserialize_with = "seconds")]
    pub health_every: Duration,
    /// What a healthy one answers 200 to, below `url`.
    #[serde(default = "models_path")]
    pub health_path: String,
    /// Requests at a time; more go to another endpoint, else are refused.
    #[serde(default = "many")]
    pub max_running: usize,
}

/// Where a secret is read from; it never stands in the file itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Secret {
    Env(String),
    File(PathBuf),
}

/// A model under a name of this server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    pub id: String,
    /// Other names for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(default = "chat")]
    pub kind: Kind,
    /// What an embedder is to find before its texts, if the catalogue does not say.
    pub prefixes: Option<Prefixes>,
    /// Who answers for it.
    pub endpoints: Vec<EndpointConfig>,
}

/// One of those who answer for a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// An upstream's id; without it the model runs in this process.
    pub upstream: Option<String>,
    /// Its name there, if another one.
    pub model: Option<String>,
    /// Share of the requests beside the others; 0 only when all others fail.
    #[serde(default = "one")]
    pub weight: u32,
}

fn chat() -> Kind {
    Kind::Chat
}

fn one() -> u32 {
    1
}

fn many() -> usize {
    1024
}

fn models_path() -> String {
    "/models".to_owned()
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

fn one_minute() -> Duration {
    Duration::from_secs(60)
}

fn two_minutes() -> Duration {
    Duration::from_secs(120)
}

/// Longest time that can be set: a day.
const SECONDS_MAX: f64 = 86_400.0;

pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        let reason = format!("must be between 0 and {SECONDS_MAX} seconds");
        return Err(serde::de::Error::custom(reason));
    }
    Ok(Duration::from_secs_f64(seconds))
}

pub(super) fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uri, D::Error> {
    let text = String::deserialize(deserializer)?;
    let uri: Uri = text.parse().map_err(serde::de::Error::custom)?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err(serde::de::Error::custom("must start with http:// or https:// and name a host")),
    }
}

fn public_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uri>, D::Error> {
    url(deserializer).map(Some)
}

fn base_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uri, D::Error> {
    let uri = url(deserializer)?;
    if uri.query().is_some() {
        return Err(serde::de::Error::custom("must not have a query"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(serde::de::Error::custom("must not hold a password: use `api_key`"));
    }
    Ok(uri)
}
