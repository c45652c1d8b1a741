//! Tokens that may come next, best first, and the draw among them.

use std::cmp::Ordering;

/// A token that may come next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    pub id: u32,
    pub logit: f32,
}

/// Larger logit first, then the lower id.
fn better_first(a: &Candidate, b: &Candidate) -> Ordering {
    // `+ 0.0` makes −0 and 0 one value, which `total_cmp` keeps apart.
    (b.logit + 0.0).total_cmp(&(a.logit + 0.0)).then(a.id.cmp(&b.id))
}

/// The largest logit's token, the lower id among equals; none when every logit is NaN or −∞.
pub fn argmax(logits: &[f32]) -> Option<u32> {
    let mut best: Option<Candidate> = None;
    for (id, &logit) in logits.iter().enumerate() {
        // False for NaN on the left; a running best is never NaN.
        if logit > best.map_or(f32::NEG_INFINITY, |best| best.logit) {
            best = Some(Candidate { id: id as u32, logit });
        }
    }
    best.map(|best| best.id)
}

/// The `k` best tokens, best first. Tokens whose logit is NaN or −∞ are no candidates, so fewer than
/// `k` may come back.
pub fn top_candidates(logits: &[f32], k: usize) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = logits
        .iter()
        .enumerate()
        .filter(|(_, logit)| **logit > f32::NEG_INFINITY)
        .map(|(id, &logit)| Candidate { id: id as u32, logit })
        .collect();
    if k == 0 {
        return Vec::new();
    }
    if k < candidates.len() {
        candidates.select_nth_unstable_by(k - 1, better_first);
        candidates.truncate(k);
    }
    candidates.sort_unstable_by(better_first);
    candidates
}

/// `exp((logit - largest) / temperature)`; a largest logit of +∞ leaves only its equals.
fn weight(candidate: Candidate, largest: f32, temperature: f32) -> f32 {
    if candidate.logit == largest { 1.0 } else { ((candidate.logit - largest) / temperature).exp() }
}

/// Cuts candidates that are sorted best first down to those that top-p and min-p keep; the best one
/// always stays. `top_p` 1 and `min_p` 0 keep all. `temperature` must be positive.
pub fn keep(candidates: &mut Vec<Candidate>, temperature: f32, top_p: f32, min_p: f32) {
    let Some(&best) = candidates.first() else { return };
    let weights = |candidate: &Candidate| weight(*candidate, best.logit, temperature);
    if top_p < 1.0 {
        let enough = top_p * candidates.iter().map(weights).sum::<f32>();
        let mut mass = 0.0;
        let n_kept = candidates.iter().position(|candidate| {
            mass += weights(candidate);
            mass >= enough
        });
        candidates.truncate(n_kept.map_or(candidates.len(), |last| last + 1));
    }
    if min_p > 0.0 {
        // Sorted, so those that are kept come first. The best one's weight is 1, at least `min_p`.
        let n_kept = candidates.partition_point(|candidate| weights(candidate) >= min_p);
        candidates.truncate(n_kept);
    }
}

/// The first of the candidates, sorted best first, at which the running sum of their weights exceeds
/// `uniform` (in `[0, 1)`) times the total; none without candidates.
pub fn choose(candidates: &[Candidate], temperature: f32, uniform: f32) -> Option<u32> {
    let largest = candidates.first()?.logit;
    let total: f32 =
        candidates.iter().map(|candidate| weight(*candidate, largest, temperature)).sum();
    let mut sum = 0.0;
    let chosen = candidates.iter().find(|candidate| {
        sum += weight(**candidate, largest, temperature);
        sum > uniform * total
    });
    // Rounding can leave the sum a hair short: then it was the last one's turn.
    chosen.or(candidates.last()).map(|candidate| candidate.id)
}
