//! How much may one document cost?

use serde::{Deserialize, Serialize};

/// Bounds on one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Of the file as it lies there.
    pub file_bytes: u64,
    /// Of all that a compressed file unfolds to.
    pub unfolded_bytes: u64,
    /// Parts of an archive.
    pub n_parts: u32,
    pub text_chars: u32,
    pub n_pages: u32,
    /// Rows of one sheet; what comes behind is left out, with a warning.
    pub n_rows: u32,
    /// Elements within elements.
    pub depth: u32,
    /// Of the child process, without its program.
    pub memory_mb: u64,
    /// On the clock, waiting for a free place not included.
    pub wall_s: u64,
    /// On the processor.
    pub cpu_s: u64,
    /// What the child may answer, in bytes of JSON.
    pub answer_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 256 << 20,
            unfolded_bytes: 512 << 20,
            n_parts: 20_000,
            text_chars: 20_000_000,
            n_pages: 20_000,
            n_rows: 100_000,
            depth: 250,
            memory_mb: 768,
            wall_s: 120,
            cpu_s: 90,
            answer_bytes: 160 << 20,
        }
    }
}
