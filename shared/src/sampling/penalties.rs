//! What the request adds to or takes from single logits.

use std::collections::BTreeMap;

/// Adds a bias to the logits of single tokens; ids outside the vocabulary are ignored.
pub fn apply_logit_bias(logits: &mut [f32], bias: &[(u32, f32)]) {
    for &(id, value) in bias {
        if let Some(logit) = logits.get_mut(id as usize) {
            *logit += value;
        }
    }
}

/// Makes every token of `history` less likely, once each however often it stands there: positive
/// logits are divided by `penalty`, negative ones multiplied (Keskar et al., "CTRL", 2019,
/// arXiv 1909.05858, as Hugging Face applies it: prompt and answer alike). 1 changes nothing.
pub fn apply_repetition_penalty(
    logits: &mut [f32],
    history: impl Iterator<Item = u32>,
    penalty: f32,
) {
    if penalty == 1.0 {
        return;
    }
    for (id, _count) in counts(history) {
        if let Some(logit) = logits.get_mut(id as usize) {
            *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
        }
    }
}

/// `logit -= presence + frequency · count` for every token generated so far, as OpenAI documents it;
/// as in vLLM, the prompt's tokens do not count.
pub fn apply_count_penalties(
    logits: &mut [f32],
    generated: impl Iterator<Item = u32>,
    presence: f32,
    frequency: f32,
) {
    if presence == 0.0 && frequency == 0.0 {
        return;
    }
    for (id, count) in counts(generated) {
        if let Some(logit) = logits.get_mut(id as usize) {
            *logit -= presence + frequency * count as f32;
        }
    }
}

fn counts(ids: impl Iterator<Item = u32>) -> BTreeMap<u32, u32> {
    let mut counts = BTreeMap::new();
    for id in ids {
        *counts.entry(id).or_default() += 1;
    }
    counts
}
