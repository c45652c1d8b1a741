//! A loaded model: which tokens stand in its cache, and what comes next?

mod loader;

use std::ops::ControlFlow;

pub use loader::{LoadOptions, ModelLoader, memory_estimate, supports};
use portico_shared::sampling::GpuSampling;
/// A token's log-probability given all tokens before it, and the most likely ones at its place.
pub use portico_shared::sampling::TokenScore as Scored;

use crate::EngineError;
use crate::gpu::{Counters, Gpu};

/// What a prefill did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrefillStats {
    /// Tokens whose keys and values stood already.
    pub reused: usize,
    pub computed: usize,
}

/// A model on the GPU with one sequence in its cache.
///
/// The cache holds keys and values of [`Engine::tokens`]. A prefill makes it hold another sequence
/// and computes only what differs; [`Engine::step`] and [`Engine::next_token`] append to it.
pub struct Engine {
    gpu: Gpu,
    tokens: Vec<u32>,
}

impl Engine {
    /// Tokens that the cache can hold.
    pub fn n_ctx(&self) -> u32 {
        0
    }

    pub fn n_vocab(&self) -> u32 {
        0
    }

    /// What weights, cache and activations take on the device.
    pub fn gpu_bytes(&self) -> u64 {
        0
    }

    /// The sequence whose keys and values stand in the cache.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Of the device, since it was acquired.
    pub fn counters(&self) -> Counters {
        self.gpu.counters()
    }

    /// Makes `tokens` the sequence in the cache. What it has in common with the one that stands is
    /// reused; the rest is computed in chunks whose size follows the measured time, so that a submit
    /// lasts about 100 ms or less. `progress(done, total)` is called before the first and after each
    /// chunk with the number of tokens that stand; when it breaks, what stands stays.
    ///
    /// # Errors
    /// [`EngineError::ContextFull`], [`EngineError::InvalidArgument`] for an empty sequence or a
    /// token beyond the vocabulary, [`EngineError::Cancelled`], [`EngineError::DeviceLost`].
    pub async fn prefill(
        &mut self,
        tokens: &[u32],
        progress: impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<PrefillStats, EngineError> {
        let _ = (tokens, progress);
        Err(EngineError::internal("being written"))
    }

    /// The logits after the last token, `[n_vocab]`.
    ///
    /// # Errors
    /// [`EngineError::InvalidArgument`] while nothing stands; [`EngineError::DeviceLost`].
    pub async fn logits(&mut self) -> Result<Vec<f32>, EngineError> {
        Err(EngineError::internal("being written"))
    }

    /// Appends a token that the caller chose.
    ///
    /// # Errors
    /// As [`Engine::prefill`].
    pub async fn step(&mut self, token: u32) -> Result<(), EngineError> {
        let _ = token;
        Err(EngineError::internal("being written"))
    }

    /// Scores each token of a sequence given those before it; the first has no score, so that one
    /// less than `tokens.len()` come back. The sequence stands in the cache afterwards.
    ///
    /// # Errors
    /// As [`Engine::prefill`].
    pub async fn score(
        &mut self,
        tokens: &[u32],
        n_top: usize,
    ) -> Result<Vec<Scored>, EngineError> {
        let _ = (tokens, n_top);
        Err(EngineError::internal("being written"))
    }

    /// Lets the GPU choose the next tokens and feed them to itself, from what stands.
    ///
    /// # Errors
    /// [`EngineError::InvalidArgument`] while nothing stands or for a sampling out of range.
    pub fn start_decode(&mut self, sampling: GpuSampling) -> Result<(), EngineError> {
        let _ = sampling;
        Err(EngineError::internal("being written"))
    }

    /// The next token; it is appended to [`Engine::tokens`]. The GPU runs a few tokens ahead, so
    /// that a caller that stops simply no longer asks.
    ///
    /// # Errors
    /// [`EngineError::ContextFull`], [`EngineError::DeviceLost`], [`EngineError::InvalidArgument`]
    /// before [`Engine::start_decode`].
    pub async fn next_token(&mut self) -> Result<u32, EngineError> {
        Err(EngineError::internal("being written"))
    }

    /// Forgets all but the first `n_tokens`.
    pub fn rewind(&mut self, n_tokens: usize) {
        self.tokens.truncate(n_tokens);
    }

    /// Destroys the model's buffers now; a drop does the same.
    pub async fn unload(self) {}
}
