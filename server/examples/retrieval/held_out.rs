//! Are fusion's constants good for questions that they were not chosen on?
//!
//! Questions are drawn into halves, a section's with its translation; constants are chosen on one half by
//! their mean over all directions and measured on the other, with the product's own beside them.

use std::collections::HashMap;

use portico_search::{Found, Fusion};
use portico_shared::retrieval::Listed;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Dice;

const K: [f32; 7] = [1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0];
const WORDS: [f32; 7] = [0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0];
/// Shares of a question's words from which a place in their list is worth something, and all.
const SURENESS: [(f32, f32); 5] = [(0.0, 0.3), (0.0, 0.6), (0.1, 0.6), (0.2, 0.6), (0.1, 0.9)];
/// The product's.
const OWN: Constants = Constants { k: 5.0, words: 0.6, sureness: (0.1, 0.6) };
const LISTED: usize = 100;
const SPLITS: usize = 50;

/// A question's two lists, and which passage is the answer.
pub struct Question {
    pub id: String,
    pub direction: usize,
    /// Ids with the share of the question that was found, best first.
    words: Vec<(Uuid, f32)>,
    meaning: Vec<Uuid>,
    wanted: Uuid,
}

impl Question {
    /// Of a search's hits, as many as there were.
    pub fn new(id: &str, direction: usize, found: &[Found], wanted: Uuid) -> Self {
        let mut words: Vec<(u32, Uuid, f32)> = found
            .iter()
            .filter_map(|one| Some((one.full_text_rank?, one.id, one.full_text_match?)))
            .collect();
        words.sort_unstable_by_key(|(rank, ..)| *rank);
        let mut meaning: Vec<(u32, Uuid)> =
            found.iter().filter_map(|one| Some((one.vector_rank?, one.id))).collect();
        meaning.sort_unstable_by_key(|(rank, _)| *rank);
        Self {
            id: id.to_owned(),
            direction,
            words: words.into_iter().take(LISTED).map(|(_, id, share)| (id, share)).collect(),
            meaning: meaning.into_iter().take(LISTED).map(|(_, id)| id).collect(),
            wanted,
        }
    }

    /// nDCG@10 of its one answer.
    fn gain(&self, constants: &Constants) -> f64 {
        let (low, high) = constants.sureness;
        let words: Vec<Listed<Uuid>> = self
            .words
            .iter()
            .map(|&(id, share)| Listed {
                id,
                sureness: ((share - low) / (high - low)).clamp(0.1, 1.0),
            })
            .collect();
        let meaning: Vec<Listed<Uuid>> =
            self.meaning.iter().map(|&id| Listed { id, sureness: 1.0 }).collect();
        let fusion =
            Fusion { k: constants.k, full_text_weight: constants.words, vector_weight: 1.0 };
        let fused = fusion.fuse(&words, &meaning);
        let place = fused.iter().take(10).position(|one| one.id == self.wanted);
        place.map_or(0.0, |place| 1.0 / (place as f64 + 2.0).log2())
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Constants {
    k: f32,
    words: f32,
    sureness: (f32, f32),
}

/// Gains of one half of the questions, by direction.
#[derive(Clone, Copy, Default)]
struct Sums {
    gains: [f64; 3],
    n: [usize; 3],
}

impl Sums {
    fn add(&mut self, direction: usize, gain: f64) {
        self.gains[direction] += gain;
        self.n[direction] += 1;
    }

    fn means(&self) -> [f64; 3] {
        [0, 1, 2].map(|i| self.gains[i] / self.n[i].max(1) as f64)
    }

    fn mean(&self) -> f64 {
        self.means().iter().sum::<f64>() / 3.0
    }
}

pub fn cross_check(questions: &[Question], directions: &[String; 3]) -> Value {
    let candidates: Vec<Constants> = K
        .iter()
        .flat_map(|&k| WORDS.map(|words| (k, words)))
        .flat_map(|(k, words)| SURENESS.map(|sureness| Constants { k, words, sureness }))
        .collect();
    // [candidate][question]
    let gains: Vec<Vec<f64>> = candidates
        .iter()
        .map(|constants| questions.iter().map(|question| question.gain(constants)).collect())
        .collect();
    let own = candidates.iter().position(|constants| *constants == OWN).unwrap_or_default();
    let mut dice = Dice::new(0xface);
    let (mut chosen, mut held, mut same) = (Vec::new(), [0.0; 3], [0.0; 3]);
    for _ in 0..SPLITS {
        let mut halves: HashMap<&str, bool> = HashMap::new();
        let is_first: Vec<bool> = questions
            .iter()
            .map(|question| *halves.entry(&question.id).or_insert_with(|| dice.below(2) == 0))
            .collect();
        let sums = |candidate: usize, of_first: bool| {
            let mut sums = Sums::default();
            for ((question, gain), first) in questions.iter().zip(&gains[candidate]).zip(&is_first)
            {
                if *first == of_first {
                    sums.add(question.direction, *gain);
                }
            }
            sums
        };
        let best = (0..candidates.len())
            .max_by(|&a, &b| sums(a, true).mean().total_cmp(&sums(b, true).mean()))
            .unwrap_or_default();
        chosen.push(candidates[best]);
        let (by_best, by_own) = (sums(best, false).means(), sums(own, false).means());
        for i in 0..3 {
            held[i] += by_best[i] / SPLITS as f64;
            same[i] += by_own[i] / SPLITS as f64;
        }
    }
    println!("\n| direction | constants chosen on the other half | the product's, same halves |");
    println!("|---|---|---|");
    for i in 0..3 {
        println!("| {} | {:.4} | {:.4} |", directions[i], held[i], same[i]);
    }
    let words: Vec<f32> = chosen.iter().map(|constants| constants.words).collect();
    let k: Vec<f32> = chosen.iter().map(|constants| constants.k).collect();
    let median = |mut values: Vec<f32>| {
        values.sort_by(f32::total_cmp);
        values[values.len() / 2]
    };
    let (k, words) = (median(k), median(words));
    println!("{SPLITS} halves; chosen most often about: k {k}, words {words}");
    json!({
        "splits": SPLITS,
        "held_out_nDCG@10": directions.iter().zip(held).collect::<HashMap<_, _>>(),
        "own_nDCG@10": directions.iter().zip(same).collect::<HashMap<_, _>>(),
        "median_k": k, "median_words": words,
    })
}
