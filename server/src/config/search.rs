//! How are passages put in order?

use std::time::Duration;

use serde::Deserialize;

use super::file::seconds;

/// `[search]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchConfig {
    /// The model that puts the best passages in order: one of `[[models]]`, or an embedder of the
    /// catalogue; unset: they stay as words and meaning put them.
    pub rerank: Option<String>,
    /// Passages that it is given.
    pub rerank_passages: usize,
    /// How long a search waits for it.
    #[serde(rename = "rerank_s", deserialize_with = "seconds")]
    pub rerank_wait: Duration,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self { rerank: None, rerank_passages: 50, rerank_wait: Duration::from_secs(2) }
    }
}
