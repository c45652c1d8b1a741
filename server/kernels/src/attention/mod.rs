//! What does a token see? Softmax over a sequence's keys, the values weighted by it.

mod plain;

use crate::isa::Isa;
use crate::kv::Page;

/// The query heads that share one key-value head, of one token.
pub struct AttentionTask<'a> {
    pub layer: usize,
    pub kv_head: usize,
    pub head_dim: usize,
    /// `[group][head_dim]`, rotated and scaled.
    pub queries: &'a [f32],
    /// The sequence's pages.
    pub pages: &'a [&'a Page],
    /// The first key that is seen, and the one behind the last.
    pub from: usize,
    pub to: usize,
    /// `cap · tanh(score / cap)`
    pub softcap: Option<f32>,
}

/// Writes `[group][head_dim]` to `out`. `scores` is scratch.
///
/// # Panics
/// When pages do not hold the keys, or lengths differ.
pub fn attend(isa: Isa, task: &AttentionTask<'_>, scores: &mut Vec<f32>, out: &mut [f32]) {
    assert_eq!(task.queries.len(), out.len(), "lengths of queries and output");
    plain::attend(isa, task, scores, out);
}
