//! How much may inference take of this machine?

use std::fs;
use std::thread;

use crate::Device;

/// Limits of in-process inference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InferenceConfig {
    pub device: Device,
    /// For the weights and caches of all loaded models together, on whichever device they are.
    pub memory_bytes: u64,
    /// Answers that may wait for a model; one more is refused with 429.
    pub max_queue: usize,
    /// Answers that a model computes at once.
    pub max_sequences: usize,
    /// A context is never longer than this, whatever the model was trained for.
    pub n_ctx_max: u32,
    pub n_threads: usize,
    /// Prompt tokens that a step computes when nobody waits for a next token.
    pub prefill_tokens: usize,
    /// Prompt tokens that a step computes beside others' next tokens.
    pub shared_prefill_tokens: usize,
}

impl Default for InferenceConfig {
    fn default() -> Self {
        Self {
            device: Device::Auto,
            memory_bytes: machine_memory_bytes() / 2,
            max_queue: 64,
            max_sequences: 16,
            n_ctx_max: 8192,
            n_threads: thread::available_parallelism().map_or(1, usize::from),
            prefill_tokens: 256,
            shared_prefill_tokens: 64,
        }
    }
}

/// What the machine has; 8 GiB where it does not say.
fn machine_memory_bytes() -> u64 {
    let total_kb = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()
    });
    total_kb.map_or(8 << 30, |kb| kb * 1024)
}
