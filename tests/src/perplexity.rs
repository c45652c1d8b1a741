//! How surprised is a model by a text?

use crate::reference::{FloatModel, log_sum_exp};

/// Tokens that are read together; each chunk starts anew.
pub const CHUNK_TOKENS: usize = 512;

/// Chunks that the bars are for.
pub const CHUNKS_MAX: usize = 8;

/// Of SmolLM2-135M-Instruct Q4_1 on the first 8 chunks, in float32 on dequantised weights.
pub const REFERENCE_F32: f64 = 23.719;

/// The mean of log-probabilities, as `exp` of its negative.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Perplexity {
    sum: f64,
    n_tokens: usize,
}

impl Perplexity {
    /// Adds tokens' natural log-probabilities.
    pub fn add(&mut self, logprobs: impl IntoIterator<Item = f64>) {
        for logprob in logprobs {
            self.sum += logprob;
            self.n_tokens += 1;
        }
    }

    pub fn value(&self) -> f64 {
        (-self.sum / self.n_tokens as f64).exp()
    }
}

/// The first whole chunks of a text.
pub fn chunks(tokens: &[u32], n_chunks: usize) -> impl Iterator<Item = &[u32]> {
    tokens.chunks_exact(CHUNK_TOKENS).take(n_chunks.min(CHUNKS_MAX))
}

/// What the float32 reference gives on these chunks.
///
/// # Errors
/// As [`FloatModel::hidden`].
pub fn of_reference(model: &FloatModel, chunks: &[&[u32]]) -> anyhow::Result<Perplexity> {
    let mut perplexity = Perplexity::default();
    for chunk in chunks {
        model.for_each_position(chunk, |position, logits| {
            if let Some(&next) = chunk.get(position + 1) {
                perplexity.add([f64::from(logits[next as usize]) - log_sum_exp(logits)]);
            }
        })?;
    }
    Ok(perplexity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fair_coin_has_perplexity_two() {
        let mut perplexity = Perplexity::default();
        perplexity.add([0.5f64.ln(); 7]);
        assert!((perplexity.value() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn only_whole_chunks_are_read() {
        let tokens = vec![0; 2 * CHUNK_TOKENS + 5];
        assert_eq!(chunks(&tokens, 8).count(), 2);
        assert_eq!(chunks(&tokens, 1).count(), 1);
    }
}
