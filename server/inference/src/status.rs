//! What are the models doing right now?

/// Of all models that are loaded or being loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InferenceStatus {
    pub memory_budget_bytes: u64,
    /// By id.
    pub models: Vec<ModelStatus>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ModelStatus {
    pub id: String,
    pub load: LoadState,
    /// Reserved in the budget: weights, and the cache when it is full.
    pub memory_bytes: u64,
    /// Answers being computed.
    pub n_running: usize,
    /// Answers waiting.
    pub n_queued: usize,
    /// Rows of the last step: next tokens and prompt tokens.
    pub batch_size: usize,
    /// Keys and values held, for running answers and for prefixes that may come again.
    pub cached_tokens: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LoadState {
    /// The share of the weights that is packed, 0 to 1.
    Loading {
        progress: f32,
    },
    Ready,
}
