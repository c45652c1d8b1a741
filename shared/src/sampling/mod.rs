//! Which token comes next? Pure functions over logits, the same in the browser and on the server.
//!
//! The order is: logit bias and penalties on the logits, then temperature, top-k, top-p, min-p on
//! the candidates, then one draw. Temperature first is the order of Hugging Face's processors and of
//! vLLM, so that a request means here what it means there.
//!
//! **The choice is defined exactly**, so that the GPU's sampler can give the same one: candidates
//! are sorted by logit, largest first, equal ones by the lower id; their weights are
//! `exp((logit - largest) / temperature)`; top-k keeps the first k; top-p keeps the shortest prefix
//! whose weight reaches `top_p` of the weight of what top-k kept; min-p keeps weights of at least
//! `min_p`; the choice is the first candidate at which the running sum of the kept weights exceeds
//! `uniform(seed, position) · total`. A logit of NaN counts as −∞.

mod candidates;
mod logprobs;
mod params;
mod penalties;
mod random;

pub(crate) use params::invalid;

pub use candidates::{Candidate, argmax, choose, keep, top_candidates};
pub use logprobs::{TokenScore, score_token};
pub use params::{GPU_TOP_K_MAX, GpuSampling, SamplingParams, TOP_LOGPROBS_MAX};
pub use penalties::{apply_count_penalties, apply_logit_bias, apply_repetition_penalty};
pub use random::uniform;

/// No token can be chosen: every logit is NaN or −∞.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no logit is a number: no token can be chosen")]
pub struct NoCandidate;

/// Chooses a token from a position's logits and leaves them as bias and penalties made them.
///
/// `prompt` and `generated` are the token ids so far; `position` is the place in the sequence that
/// the chosen token will take (`prompt.len() + generated.len()` for a generation without gaps), so
/// that a resumed generation draws the same numbers as an unbroken one.
pub fn sample(
    logits: &mut [f32],
    params: &SamplingParams,
    prompt: &[u32],
    generated: &[u32],
    position: u32,
) -> Result<u32, NoCandidate> {
    apply_logit_bias(logits, &params.logit_bias);
    apply_repetition_penalty(
        logits,
        prompt.iter().chain(generated).copied(),
        params.repetition_penalty,
    );
    apply_count_penalties(
        logits,
        generated.iter().copied(),
        params.presence_penalty,
        params.frequency_penalty,
    );
    if params.is_greedy() {
        return argmax(logits).ok_or(NoCandidate);
    }
    let top_k = if params.top_k == 0 { logits.len() } else { params.top_k as usize };
    let mut candidates = top_candidates(logits, top_k);
    keep(&mut candidates, params.temperature, params.top_p, params.min_p);
    choose(&candidates, params.temperature, uniform(params.seed, position)).ok_or(NoCandidate)
}

#[cfg(test)]
mod tests;
