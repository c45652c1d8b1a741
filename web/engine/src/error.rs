//! What can go wrong in the engine, and what is a person told about it?

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::model::ModelError;

/// Every failure of the engine. `reason`s are in English, for logs and details.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    #[error("no WebGPU adapter: {reason}")]
    NoAdapter { reason: String },
    /// `needed` tokens were to stand in a cache of `n_ctx`.
    #[error("{needed} tokens do not fit into a context of {n_ctx}")]
    ContextFull { n_ctx: u32, needed: usize },
    #[error("the GPU has no room for {needed_bytes} more bytes")]
    OutOfMemory { needed_bytes: u64 },
    #[error("the GPU device was lost: {reason}")]
    DeviceLost { reason: String },
    /// The model is sound, but this engine or this device cannot run it.
    #[error("unsupported: {reason}")]
    Unsupported { reason: String },
    /// The file contradicts itself.
    #[error("invalid model: {reason}")]
    InvalidModel { reason: String },
    /// The caller asked for something that has no meaning: an unknown token, an empty prompt.
    #[error("invalid argument: {reason}")]
    InvalidArgument { reason: String },
    /// The caller's `progress` said stop. What was computed stands.
    #[error("stopped by the caller")]
    Cancelled,
    /// A bug in the engine: wgpu refused what it was given.
    #[error("internal: {reason}")]
    Internal { reason: String },
}

impl EngineError {
    pub(crate) fn unsupported(reason: impl Into<String>) -> Self {
        Self::Unsupported { reason: reason.into() }
    }

    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidModel { reason: reason.into() }
    }

    pub(crate) fn internal(reason: impl Into<String>) -> Self {
        Self::Internal { reason: reason.into() }
    }
}

impl From<ModelError> for EngineError {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Unsupported { reason } => Self::Unsupported { reason },
            ModelError::Invalid { reason } => Self::InvalidModel { reason },
        }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let detail = error.to_string();
        match error {
            EngineError::NoAdapter { .. } => Self::new(ErrorCode::WebGpuMissing),
            EngineError::ContextFull { n_ctx, .. } => {
                Self::new(ErrorCode::ContextFull).with("n_ctx", n_ctx)
            }
            EngineError::OutOfMemory { .. } => Self::new(ErrorCode::OutOfMemory),
            EngineError::DeviceLost { .. } => Self::new(ErrorCode::DeviceLost),
            EngineError::Unsupported { reason } => {
                Self::new(ErrorCode::ModelUnsupported).with("reason", reason)
            }
            EngineError::InvalidModel { reason } => {
                Self::new(ErrorCode::ModelInvalid).with("reason", reason)
            }
            EngineError::InvalidArgument { reason } => {
                Self::new(ErrorCode::InvalidRequest).with("reason", reason)
            }
            EngineError::Cancelled => Self::new(ErrorCode::Cancelled),
            EngineError::Internal { .. } => Self::new(ErrorCode::Internal),
        }
        .detail(detail)
    }
}

#[cfg(test)]
mod tests {
    use portico_shared::error::Lang;

    use super::*;

    #[test]
    fn every_error_becomes_a_whole_sentence() {
        let reason = || "why".to_owned();
        for error in [
            EngineError::NoAdapter { reason: reason() },
            EngineError::ContextFull { n_ctx: 512, needed: 600 },
            EngineError::OutOfMemory { needed_bytes: 1 << 30 },
            EngineError::DeviceLost { reason: reason() },
            EngineError::Unsupported { reason: reason() },
            EngineError::InvalidModel { reason: reason() },
            EngineError::InvalidArgument { reason: reason() },
            EngineError::Cancelled,
            EngineError::Internal { reason: reason() },
        ] {
            let text = ApiError::from(error.clone()).text(Lang::De);
            assert!(!text.contains('{'), "{error:?}: {text}");
        }
    }
}
