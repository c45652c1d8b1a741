//! How much memory will a model take, judged before it is loaded?

use portico_kernels::PAGE_TOKENS;
use portico_shared::gguf::Gguf;
use portico_shared::model::{Config, ModelError};

use super::{Engine, InferenceConfig};
use crate::cpu::kv_shape;

/// Answers of full length that the cache has room for, where memory allows.
const FULL_CONTEXTS: usize = 4;

/// What a model is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Tokens of one answer with its prompt.
    pub n_ctx: usize,
    /// Pages of the cache.
    pub max_pages: usize,
    /// Weights and the full cache.
    pub memory_bytes: u64,
}

impl Share {
    /// What the model would like to have, and the least that it can run with.
    ///
    /// # Errors
    /// What is wrong with the model.
    pub fn wanted(
        gguf: &Gguf,
        config: &InferenceConfig,
        engine: &Engine,
    ) -> Result<[Self; 2], ModelError> {
        let model = Config::from_gguf(gguf)?;
        let n_ctx = model.n_ctx_train.min(config.n_ctx_max).max(1) as usize;
        let weight_bytes = engine.weight_bytes(gguf, &model, n_ctx)?;
        let page_bytes = kv_shape(&model).page_bytes() as u64;
        let share = |n_contexts: usize| {
            let max_pages = n_ctx.div_ceil(PAGE_TOKENS) * n_contexts;
            let memory_bytes = weight_bytes + max_pages as u64 * page_bytes;
            Self { n_ctx, max_pages, memory_bytes }
        };
        Ok([share(FULL_CONTEXTS.min(config.max_sequences.max(1))), share(1)])
    }
}
