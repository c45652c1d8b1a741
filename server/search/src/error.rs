//! What can go wrong with an index?

use std::path::PathBuf;

use portico_shared::error::{ApiError, ErrorCode};

/// A fault of the index or of the store behind it.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error("`{path}` cannot be used: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("the index in `{0}` is in use by another process")]
    InUse(PathBuf),
    #[error("full text: {0}")]
    FullText(#[from] tantivy::TantivyError),
    /// The store refused, or holds what it should not.
    #[error("vectors: {0}")]
    Vectors(String),
    /// The store cannot be reached, or did not answer in time; later it may.
    #[error("the vector store does not answer: {0}")]
    VectorsUnreachable(String),
    #[error("a vector has {found} dimensions and not {wanted}")]
    Dimensions { wanted: usize, found: usize },
    #[error("{vectors} vectors came with {passages} passages")]
    Counts { passages: usize, vectors: usize },
    /// A task of this process ended before its work.
    #[error("the index's work was cut off: {0}")]
    CutOff(String),
    #[error("{0}")]
    Config(String),
}

impl SearchError {
    /// Whether the same call may succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::VectorsUnreachable(_))
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        let code = match &error {
            SearchError::VectorsUnreachable(_) => ErrorCode::VectorsUnreachable,
            _ => ErrorCode::Internal,
        };
        Self::new(code).detail(error)
    }
}
