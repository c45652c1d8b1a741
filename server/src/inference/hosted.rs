//! What is a loaded model to those who ask it?

use std::sync::Arc;

use portico_inference::{Embedder, Scheduler};
use portico_shared::catalogue::Prefixes;
use portico_shared::error::ApiError;
use portico_shared::generation::ModelFacts;
use portico_shared::gguf::Metadata;
use portico_shared::template::{ChatTemplate, TemplateError};
use portico_shared::tokenizer::Tokenizer;

/// A model that answers here. While it is held it stays loaded.
pub struct HostedModel {
    /// The catalogue's.
    pub id: String,
    pub tokenizer: Arc<Tokenizer>,
    /// None: the model continues texts but holds no conversation.
    pub template: Option<ChatTemplate>,
    pub facts: ModelFacts,
    /// Of an embedder, as the catalogue has them.
    pub prefixes: Prefixes,
    /// Weights, and the cache when it is full.
    pub memory_bytes: u64,
    pub(super) work: Work,
}

/// What a model does.
pub(super) enum Work {
    Answers(Scheduler),
    Vectors(Arc<Embedder>),
}

impl HostedModel {
    /// Whether it makes vectors, not answers.
    pub fn makes_vectors(&self) -> bool {
        matches!(self.work, Work::Vectors(_))
    }
}

/// What a file's metadata says about text.
pub(super) struct TextSide {
    pub tokenizer: Arc<Tokenizer>,
    pub template: Option<ChatTemplate>,
}

impl TextSide {
    /// # Errors
    /// A tokenizer or a template that this build does not know.
    pub fn from_gguf(metadata: &Metadata) -> Result<Self, ApiError> {
        let tokenizer = Arc::new(Tokenizer::from_gguf(metadata)?);
        let template = match ChatTemplate::from_gguf(metadata) {
            Ok(template) => Some(template),
            Err(TemplateError::Missing) => None,
            Err(error) => {
                tracing::warn!(%error, "the model's chat template cannot be used");
                None
            }
        };
        Ok(Self { tokenizer, template })
    }
}

impl std::fmt::Debug for HostedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostedModel").field("id", &self.id).finish_non_exhaustive()
    }
}
