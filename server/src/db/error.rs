//! What can go wrong with the database.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use portico_shared::error::{ApiError, ErrorCode};

#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct DbError {
    path: PathBuf,
    reason: String,
}

impl DbError {
    pub(super) fn new(path: &Path, reason: impl Display) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        ApiError::new(ErrorCode::StorageFailed)
            .with("path", error.path.display())
            .detail(&error.reason)
    }
}
