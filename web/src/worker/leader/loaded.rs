//! A model that can answer: its engine and what turns text into tokens and back.

use std::sync::Arc;

use portico_engine::Engine;
use portico_shared::error::ApiError;
use portico_shared::generation::ModelFacts;
use portico_shared::gguf::Metadata;
use portico_shared::openai::{ChatCompletionRequest, CompletionRequest, Prompt};
use portico_shared::template::{ChatTemplate, RenderOptions, TemplateError};
use portico_shared::tokenizer::{AddSpecial, ParseSpecial, Tokenizer};

use super::grammars::Grammars;
use crate::js::scope::local_wall_s;

pub struct Loaded {
    pub model: String,
    pub engine: Engine,
    pub text: TextSide,
    pub grammars: Grammars,
}

/// What a model's metadata says about text.
pub struct TextSide {
    pub tokenizer: Arc<Tokenizer>,
    /// A model without a template continues texts but holds no conversation; why not is said when
    /// somebody tries.
    template: Result<ChatTemplate, TemplateError>,
}

impl TextSide {
    pub fn from_gguf(metadata: &Metadata) -> Result<Self, ApiError> {
        let tokenizer = Tokenizer::from_gguf(metadata)?;
        let template = ChatTemplate::from_gguf(metadata);
        Ok(Self { tokenizer: Arc::new(tokenizer), template })
    }

    /// The token ids of a conversation, up to where the answer begins.
    pub fn chat_prompt(&self, request: &ChatCompletionRequest) -> Result<Vec<u32>, ApiError> {
        let template = self.template.as_ref().map_err(Clone::clone)?;
        let options = RenderOptions::answer(local_wall_s());
        let text = template.render(&request.messages, request.offered_tools(), &options)?;
        Ok(self.tokenizer.encode(&text, AddSpecial::No, ParseSpecial::Yes)?)
    }

    /// The token ids of a text that is to be continued.
    pub fn completion_prompt(&self, request: &CompletionRequest) -> Result<Vec<u32>, ApiError> {
        match &request.prompt {
            Prompt::TokenIds(ids) => Ok(ids.clone()),
            Prompt::Text(text) => {
                Ok(self.tokenizer.encode(text, AddSpecial::Yes, ParseSpecial::No)?)
            }
        }
    }

    pub fn facts(&self, engine: &Engine) -> ModelFacts {
        let template = self.template.as_ref().ok();
        ModelFacts::new(&self.tokenizer, template, engine.n_ctx(), engine.n_vocab())
    }
}
