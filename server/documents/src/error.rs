//! Why could a document not be read?

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

/// A document's failure. It crosses from the child process to the server as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum ExtractError {
    #[error("unknown kind of file: {what}")]
    TypeUnknown { what: String },
    #[error("unreadable: {reason}")]
    Unreadable { reason: String },
    #[error("encrypted")]
    Encrypted,
    #[error("{n_pages} pages of pictures without text")]
    NeedsOcr { n_pages: u32 },
    #[error("too large: {what}")]
    TooLarge { what: String },
    #[error("no text")]
    Empty,
    /// Of time on the clock or on the processor.
    #[error("not done after {limit_s} s")]
    Timeout { limit_s: u64 },
    #[error("more than {limit_mb} MB of memory")]
    Memory { limit_mb: u64 },
    /// A panic, a signal, or an answer that is none.
    #[error("the reader failed: {how}")]
    Crashed { how: String },
    /// The child process could not be started, or the file could not be opened.
    #[error("no reader: {reason}")]
    Unavailable { reason: String },
}

impl ExtractError {
    pub(crate) fn unreadable(reason: impl ToString) -> Self {
        Self::Unreadable { reason: reason.to_string() }
    }

    pub fn code(&self) -> ErrorCode {
        match self {
            Self::TypeUnknown { .. } => ErrorCode::DocumentTypeUnknown,
            Self::Unreadable { .. } => ErrorCode::DocumentUnreadable,
            Self::Encrypted => ErrorCode::DocumentEncrypted,
            Self::NeedsOcr { .. } => ErrorCode::DocumentNeedsOcr,
            Self::TooLarge { .. } => ErrorCode::DocumentTooLarge,
            Self::Empty => ErrorCode::DocumentEmpty,
            Self::Timeout { .. } => ErrorCode::ExtractTimeout,
            Self::Memory { .. } => ErrorCode::ExtractMemory,
            Self::Crashed { .. } => ErrorCode::ExtractCrashed,
            Self::Unavailable { .. } => ErrorCode::Internal,
        }
    }
}

impl From<ExtractError> for ApiError {
    fn from(error: ExtractError) -> Self {
        let api = Self::new(error.code()).detail(&error);
        match error {
            ExtractError::Timeout { limit_s } => api.with("limit_s", limit_s),
            ExtractError::Memory { limit_mb } => api.with("limit_mb", limit_mb),
            _ => api,
        }
    }
}
