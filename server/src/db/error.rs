//! What can go wrong with the database.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use portico_shared::error::{ApiError, ErrorCode};

use super::{migrate, sql};

#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct DbError {
    path: PathBuf,
    reason: String,
    is_disk_full: bool,
    /// Its server is away.
    is_unreachable: bool,
    /// Its schema, where that is one that this program does not know.
    newer: Option<u32>,
}

impl DbError {
    pub(super) fn new(path: &Path, reason: impl Display) -> Self {
        let (path, reason) = (path.to_owned(), reason.to_string());
        Self { path, reason, is_disk_full: false, is_unreachable: false, newer: None }
    }

    pub(super) fn of_sqlite(path: &Path, error: rusqlite::Error) -> Self {
        let is_disk_full = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
        Self { is_disk_full, ..Self::new(path, error) }
    }

    /// Of a newer program.
    pub fn newer(path: &Path, schema: u32) -> Self {
        let known = migrate::newest();
        let reason = format!("it is of a newer Portico (schema {schema}, this one knows {known})");
        Self { newer: Some(schema), ..Self::new(path, reason) }
    }

    pub(super) fn of_statement(path: &Path, error: sql::Error) -> Self {
        let (is_disk_full, is_unreachable) = (error.is_disk_full(), error.is_unreachable());
        Self { is_disk_full, is_unreachable, ..Self::new(path, error) }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        if let Some(schema) = error.newer {
            let folder = error.path.parent().unwrap_or(&error.path);
            return ApiError::new(ErrorCode::DataNewer)
                .with("path", folder.display())
                .with("schema", schema)
                .with("known", migrate::newest())
                .with("version", env!("CARGO_PKG_VERSION"));
        }
        if error.is_unreachable {
            let unreachable = ApiError::new(ErrorCode::DatabaseUnreachable);
            return unreachable.with("database", error.path.display()).detail(&error.reason);
        }
        let code = match error.is_disk_full {
            true => ErrorCode::DiskFull,
            false => ErrorCode::StorageFailed,
        };
        ApiError::new(code).with("path", error.path.display()).detail(&error.reason)
    }
}
