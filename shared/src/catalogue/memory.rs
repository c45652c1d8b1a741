//! How much memory does a model take where it runs?

use super::{Kind, Model};

/// Activations, logits, pipelines and what the driver keeps; measured at about half of this with a
/// vocabulary of 150,000.
const OVERHEAD_BYTES: u64 = 128 * 1024 * 1024;

/// The context that the estimate of a catalogue's list counts with.
const USUAL_N_CTX: u32 = 4096;

impl Model {
    /// Estimated bytes on the device with room for `n_ctx` tokens: weights, keys and values in f16,
    /// overhead. Contexts above the model's own count as the model's own.
    pub fn memory_estimate_bytes(&self, n_ctx: u32) -> u64 {
        let kv_bytes = self.kv_bytes_per_token.saturating_mul(u64::from(n_ctx.min(self.n_ctx)));
        self.size_bytes().saturating_add(kv_bytes).saturating_add(OVERHEAD_BYTES)
    }

    /// [`Self::memory_estimate_bytes`] at a usual context of 4096 tokens, or the model's own if that
    /// is less.
    pub fn usual_memory_bytes(&self) -> u64 {
        match self.kind {
            Kind::Chat => self.memory_estimate_bytes(USUAL_N_CTX),
            Kind::Embedding | Kind::Reranker => self.memory_estimate_bytes(0),
        }
    }
}
