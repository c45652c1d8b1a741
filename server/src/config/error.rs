//! What can be wrong with a configuration, and where does it stand?

use std::io;
use std::path::PathBuf;

use portico_shared::error::{ApiError, ErrorCode};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    /// `line` and `column` count from 1.
    #[error("{path}, line {line}, column {column}: {reason}")]
    Faulty { path: PathBuf, line: usize, column: usize, reason: String },
    #[error("environment variable {name}: {reason}")]
    Environment { name: String, reason: String },
    /// What stands in several places, or needs something outside the file.
    #[error("{path}: {reason}")]
    Inconsistent { path: PathBuf, reason: String },
}

impl From<ConfigError> for ApiError {
    fn from(error: ConfigError) -> Self {
        ApiError::new(ErrorCode::ConfigInvalid).with("reason", error)
    }
}
