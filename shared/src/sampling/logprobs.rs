//! How likely did the model itself find a token?

use super::candidates::top_candidates;

/// A token's log-probability among the whole vocabulary, from the model's own logits: before bias,
/// penalties and temperature, so that it is a measure of the model and not of the request.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenScore {
    pub id: u32,
    /// Natural logarithm.
    pub logprob: f32,
    /// The most likely tokens and their log-probabilities, best first.
    pub top: Vec<(u32, f32)>,
}

/// Smallest log-probability that is written: JSON knows no −∞. OpenAI writes the same number.
const LOGPROB_MIN: f32 = -9999.0;

/// Scores token `id` at a position by its logits and names the `n_top` most likely ones.
pub fn score_token(logits: &[f32], id: u32, n_top: usize) -> TokenScore {
    let log_sum = log_sum_exp(logits);
    let logprob = |logit: f32| {
        let logprob =
            if logit == f32::INFINITY { 0.0 } else { (f64::from(logit) - log_sum) as f32 };
        // `max` also turns NaN into the smallest.
        logprob.max(LOGPROB_MIN)
    };
    TokenScore {
        id,
        logprob: logprob(logits.get(id as usize).copied().unwrap_or(f32::NEG_INFINITY)),
        top: top_candidates(logits, n_top)
            .into_iter()
            .map(|candidate| (candidate.id, logprob(candidate.logit)))
            .collect(),
    }
}

/// `ln Σ exp(logit)` in f64, NaN left out.
fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    if largest.is_infinite() {
        return largest;
    }
    let sum: f64 = logits
        .iter()
        .filter(|logit| !logit.is_nan())
        .map(|&logit| (f64::from(logit) - largest).exp())
        .sum();
    largest + sum.ln()
}
