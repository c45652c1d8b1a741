//! How are two lists of passages made one?
//!
//! By reciprocal rank: a passage scores `weight / (k + rank)` in each list that has it. Scores of words
//! and of meaning cannot be compared, ranks can. A list may say of each passage how sure it is: full
//! text that found one word of nine says less than the same rank with all nine.

use std::collections::HashMap;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

/// How much each list counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fusion {
    /// The larger, the less the first places count against the others.
    pub k: f32,
    pub full_text_weight: f32,
    pub vector_weight: f32,
}

impl Default for Fusion {
    /// One set of constants for questions in the passages' language and in the other: from the middle of
    /// the plain where an FAQ in two languages is answered best, which is flat (k 2 to 10, weight of
    /// words 0.5 to 0.7).
    fn default() -> Self {
        Self { k: 5.0, full_text_weight: 0.6, vector_weight: 1.0 }
    }
}

/// A place in a list, best first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Listed<Id> {
    pub id: Id,
    /// From 0, a guess, to 1.
    pub sureness: f32,
}

/// A passage with its places, from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fused<Id> {
    pub id: Id,
    pub score: f32,
    pub full_text_rank: Option<u32>,
    pub vector_rank: Option<u32>,
}

impl Fusion {
    /// Both lists as one, best first; of equal scores the one that meaning found earlier.
    pub fn fuse<Id: Copy + Eq + Hash + Ord>(
        &self,
        full_text: &[Listed<Id>],
        vectors: &[Listed<Id>],
    ) -> Vec<Fused<Id>> {
        let mut fused: HashMap<Id, Fused<Id>> = HashMap::new();
        let k = self.k.max(0.0);
        let mut add = |list: &[Listed<Id>], weight: f32, is_vectors: bool| {
            for (rank, listed) in (1u32..).zip(list) {
                let entry = fused.entry(listed.id).or_insert(Fused {
                    id: listed.id,
                    score: 0.0,
                    full_text_rank: None,
                    vector_rank: None,
                });
                let own =
                    if is_vectors { &mut entry.vector_rank } else { &mut entry.full_text_rank };
                // A list that names a passage twice has it at the better place.
                if own.is_none() {
                    *own = Some(rank);
                    entry.score += weight * listed.sureness.clamp(0.0, 1.0) / (k + rank as f32);
                }
            }
        };
        add(full_text, self.full_text_weight, false);
        add(vectors, self.vector_weight, true);
        let mut fused: Vec<Fused<Id>> = fused.into_values().collect();
        fused.sort_unstable_by(|a, b| {
            let place = |f: &Fused<Id>| {
                (f.vector_rank.unwrap_or(u32::MAX), f.full_text_rank.unwrap_or(u32::MAX), f.id)
            };
            b.score.total_cmp(&a.score).then_with(|| place(a).cmp(&place(b)))
        });
        fused
    }
}
