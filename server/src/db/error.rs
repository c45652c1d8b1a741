//! What can go wrong with the database.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use portico_shared::error::{ApiError, ErrorCode};

use super::sql;

#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct DbError {
    path: PathBuf,
    reason: String,
    is_disk_full: bool,
}

impl DbError {
    pub(super) fn new(path: &Path, reason: impl Display) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string(), is_disk_full: false }
    }

    pub(super) fn of_statement(path: &Path, error: sql::Error) -> Self {
        Self { is_disk_full: error.is_disk_full(), ..Self::new(path, error) }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        let code = match error.is_disk_full {
            true => ErrorCode::DiskFull,
            false => ErrorCode::StorageFailed,
        };
        ApiError::new(code).with("path", error.path.display()).detail(&error.reason)
    }
}
