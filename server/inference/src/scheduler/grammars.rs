//! What may an answer of this model say, when its form is prescribed?

use std::sync::{Arc, OnceLock};

use portico_shared::error::ApiError;
use portico_shared::generation::GenerationRequest;
use portico_shared::grammar::{Constrain, GrammarEnv, TokenTable};
use portico_shared::tokenizer::Tokenizer;

/// Compiles grammars for a model's vocabulary, whose trie is built when the first one comes.
pub struct Grammars {
    tokenizer: Arc<Tokenizer>,
    env: OnceLock<Result<GrammarEnv, ApiError>>,
}

impl Grammars {
    pub fn new(tokenizer: Arc<Tokenizer>) -> Self {
        Self { tokenizer, env: OnceLock::new() }
    }

    /// # Errors
    /// `invalid_request`, naming what is wrong with the grammar.
    pub fn constraint(
        &self,
        request: &GenerationRequest,
    ) -> Result<Option<Box<dyn Constrain>>, ApiError> {
        let Some(grammar) = &request.grammar else { return Ok(None) };
        let env = self.env.get_or_init(|| GrammarEnv::new(&TokenTable::new(&self.tokenizer)));
        let env = env.as_ref().map_err(Clone::clone)?;
        Ok(Some(Box::new(env.compile(grammar)?)))
    }
}
