//! Why did a statement fail?

use rusqlite::types::{FromSqlError, Type};

use super::postgres::Failure;

pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the query found no row")]
    QueryReturnedNoRows,
    #[error("column {0} ({1}) cannot be read: {2}")]
    FromSqlConversionFailure(usize, Type, #[source] Cause),
    #[error("a value cannot be written: {0}")]
    ToSqlConversionFailure(#[source] Cause),
    #[error(transparent)]
    Sqlite(rusqlite::Error),
    #[error(transparent)]
    Postgres(#[from] Failure),
}

impl Error {
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::Postgres(failure) => failure.is_disk_full(),
            _ => false,
        }
    }

    /// Whether the database's server is away, or does not let the house in.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Postgres(failure) if failure.is_unreachable())
    }

    /// What a value's own type says of a column that does not fit.
    pub(super) fn of_column(column: usize, found: Type, error: FromSqlError) -> Self {
        Self::FromSqlConversionFailure(column, found, Box::new(error))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self::QueryReturnedNoRows,
            error => Self::Sqlite(error),
        }
    }
}

/// A row that need not be there.
pub trait OptionalExtension<T> {
    fn optional(self) -> Result<Option<T>>;
}

impl<T> OptionalExtension<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(Error::QueryReturnedNoRows) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
