//! What did the organisation decide about its server?
//!
//! `portico.toml` in the data folder (or `--config`), over it the environment's
//! `PORTICO_<SECTION>_<KEY>`, over that the command line's flags.

mod database;
mod documents;
mod error;
mod file;
mod files;
mod load;
mod mcp;
mod people;
mod search;
mod vectors;

#[cfg(test)]
mod tests;

pub use database::DatabaseConfig;
pub use documents::DocumentsConfig;
pub use error::ConfigError;
pub use file::{
    AccessConfig, Config, EndpointConfig, InferenceLimits, LimitsConfig, LogFormat, MetricsReaders,
    ModelConfig, Secret, ServerConfig, UpstreamConfig, WhenLoopback,
};
pub use files::{FilesConfig, Store};
pub use load::{FILE_NAME, load, load_with_env};
pub use mcp::{Confirm, McpConfig};
pub use people::{OidcConfig, PeopleConfig};
pub use search::SearchConfig;
pub use vectors::VectorsConfig;
