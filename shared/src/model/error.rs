//! Why can a model not be run?

use crate::error::{ApiError, ErrorCode};
use crate::gguf::MetadataError;

/// Why a file that can be read is no model to run. `reason`s are in English and name the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The model is sound, but nothing here computes it.
    #[error("unsupported: {reason}")]
    Unsupported { reason: String },
    /// The file contradicts itself.
    #[error("invalid model: {reason}")]
    Invalid { reason: String },
}

impl ModelError {
    pub fn unsupported(reason: impl Into<String>) -> Self {
        Self::Unsupported { reason: reason.into() }
    }

    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid { reason: reason.into() }
    }
}

impl From<MetadataError> for ModelError {
    fn from(error: MetadataError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<ModelError> for ApiError {
    fn from(error: ModelError) -> Self {
        let detail = error.to_string();
        match error {
            ModelError::Unsupported { reason } => {
                Self::new(ErrorCode::ModelUnsupported).with("reason", reason)
            }
            ModelError::Invalid { reason } => {
                Self::new(ErrorCode::ModelInvalid).with("reason", reason)
            }
        }
        .detail(detail)
    }
}
