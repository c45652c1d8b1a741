//! What does a token see? Softmax over a sequence's keys, the values weighted by it.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod plain;

use crate::isa::Isa;
use crate::kv::{PAGE_TOKENS, Page};

/// The query heads that share one key-value head, of one token.
pub struct AttentionTask<'a> {
    pub layer: usize,
    pub kv_head: usize,
    /// A multiple of 32.
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

impl AttentionTask<'_> {
    /// Pages that hold what is seen.
    fn page_range(&self) -> std::ops::Range<usize> {
        self.from / PAGE_TOKENS..self.to.div_ceil(PAGE_TOKENS)
    }
}

/// Writes `[group][head_dim]` to `out`. `scores` is scratch.
///
/// # Panics
/// When nothing is seen, pages do not hold the keys, or lengths differ.
pub fn attend(isa: Isa, task: &AttentionTask<'_>, scores: &mut Vec<f32>, out: &mut [f32]) {
    assert_eq!(task.queries.len(), out.len(), "lengths of queries and output");
    assert!(task.from < task.to && task.page_range().end <= task.pages.len(), "keys in pages");
    assert!(
        task.head_dim.is_multiple_of(32) && task.queries.len().is_multiple_of(task.head_dim),
        "whole heads of a multiple of 32"
    );
    match isa {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Isa` is what was detected; the assertions hold what the kernel asks.
        Isa::Avx512 => unsafe { avx512::attend(task, scores, out) },
        _ => plain::attend(isa, task, scores, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::KvShape;

    /// Values without a pattern.
    fn noise(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn every_kernel_sees_what_the_plain_one_sees() {
        for (head_dim, group, from, to) in [
            (64, 3, 0, 1),
            (64, 3, 0, 100),
            (64, 7, 5, 77),
            (32, 4, 0, 33),
            (128, 1, 17, 130),
            (256, 4, 0, 16),
            (96, 9, 3, 50),
        ] {
            let shape = KvShape { n_layers: 2, n_kv_heads: 2, head_dim };
            let mut pages: Vec<Page> = (0..9).map(|_| Page::new(shape)).collect();
            for token in 0..9 * PAGE_TOKENS {
                let key = noise(head_dim, token as u32 + 1);
                let value = noise(head_dim, token as u32 + 1001);
                let page = &mut pages[token / PAGE_TOKENS];
                page.store(Isa::Plain, 1, 1, token % PAGE_TOKENS, &key, &value);
            }
            let pages: Vec<&Page> = pages.iter().collect();
            let queries = noise(group * head_dim, 7);
            for softcap in [None, Some(2.0)] {
                let task = AttentionTask {
                    layer: 1,
                    kv_head: 1,
                    head_dim,
                    queries: &queries,
                    pages: &pages,
                    from,
                    to,
                    softcap,
                };
                let run = |isa: Isa| {
                    let mut out = vec![0.0; queries.len()];
                    attend(isa, &task, &mut vec![f32::NAN; 500], &mut out);
                    out
                };
                let expected = run(Isa::Plain);
                for isa in Isa::all_here() {
                    for (actual, expected) in run(isa).iter().zip(&expected) {
                        let difference = (actual - expected).abs();
                        assert!(difference < 1e-5, "{isa:?} {head_dim} {group} {from}..{to}");
                    }
                }
            }
        }
    }
}
