//! How is it kept from the reader that one document says the same thing five times?
//!
//! Maximal marginal relevance (Carbonell and Goldstein, 1998) on the words that texts share: the next
//! passage is the one whose score is best after what it repeats was taken off.

use std::collections::HashSet;

/// A passage that was found, best first.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'t> {
    pub score: f32,
    pub text: &'t str,
    /// Equal for passages of one document.
    pub document: u64,
}

/// How far results are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// What a passage loses of its score when all of its words were said: 0 to 1.
    pub repetition: f32,
    /// What each earlier passage of the same document takes off: 0 to 1.
    pub same_document: f32,
    /// Passages that share more of their words than this with a chosen one are left out.
    pub duplicate: f32,
}

impl Default for Spread {
    fn default() -> Self {
        Self { repetition: 0.3, same_document: 0.05, duplicate: 0.9 }
    }
}

/// The places of the chosen candidates, in the order to show them; at most `n_max`. The best candidate
/// is always the first.
pub fn spread(candidates: &[Candidate<'_>], n_max: usize, spread: &Spread) -> Vec<usize> {
    let words: Vec<HashSet<String>> =
        candidates.iter().map(|candidate| words_of(candidate.text)).collect();
    let mut left: Vec<usize> = (0..candidates.len()).collect();
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < n_max && !left.is_empty() {
        left.retain(|&at| {
            chosen.iter().all(|&other| shared(&words[at], &words[other]) <= spread.duplicate)
        });
        let marginal = |at: usize| {
            let said =
                chosen.iter().map(|&other| shared(&words[at], &words[other])).fold(0.0, f32::max);
            let document = candidates[at].document;
            let n_same = chosen.iter().filter(|&&o| candidates[o].document == document).count();
            let off = spread.repetition * said + spread.same_document * n_same as f32;
            candidates[at].score * (1.0 - off).max(0.0)
        };
        let best = left
            .iter()
            .enumerate()
            .map(|(place, &at)| (place, marginal(at)))
            .reduce(|best, next| if next.1 > best.1 { next } else { best });
        let Some((place, _)) = best else { break };
        chosen.push(left.remove(place));
    }
    chosen
}

fn words_of(text: &str) -> HashSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 2)
        .map(str::to_lowercase)
        .collect()
}

/// The words that both have, over the words of the one that has fewer: 1 when it is contained.
fn shared(a: &HashSet<String>, b: &HashSet<String>) -> f32 {
    let n_least = a.len().min(b.len());
    if n_least == 0 {
        return 0.0;
    }
    a.intersection(b).count() as f32 / n_least as f32
}
