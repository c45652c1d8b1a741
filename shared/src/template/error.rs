//! Why can a chat not be written as a prompt?

use crate::error::{ApiError, ErrorCode};
use crate::gguf::MetadataError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The file has no template and its vocabulary does not speak ChatML.
    #[error("it has no chat template: it continues texts and does not chat")]
    Missing,
    #[error("its chat template has {bytes} bytes: at most {max} are read", max = super::TEMPLATE_BYTES_MAX)]
    TooLong { bytes: usize },
    #[error("its chat template cannot be read: {0}")]
    Syntax(String),
    /// The template itself refuses the conversation (`raise_exception`).
    #[error("the model's template does not accept this conversation: {0}")]
    Refused(String),
    #[error("its chat template fails on this conversation: {0}")]
    Render(String),
    #[error("its chat template works too long or makes too much of this conversation")]
    OutOfFuel,
    #[error("the prompt has {bytes} bytes: at most {max} are made", max = super::PROMPT_BYTES_MAX)]
    PromptTooLong { bytes: usize },
}

impl From<TemplateError> for ApiError {
    fn from(error: TemplateError) -> Self {
        let code = match error {
            TemplateError::Missing => ErrorCode::ModelUnsupported,
            TemplateError::Refused(_) | TemplateError::PromptTooLong { .. } => {
                ErrorCode::InvalidRequest
            }
            _ => ErrorCode::ModelInvalid,
        };
        Self::new(code).with("reason", &error).detail(format!("{error:?}"))
    }
}
