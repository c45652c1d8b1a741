//! Does a passage say something about the question at all?

use super::Source;
use super::words::{Bag, content_words};

/// How much of what the question says a passage must say, by words alone.
const WORDS_ALONE: f32 = 0.45;
/// With a near vector, so much is enough.
const WORDS_BESIDE: f32 = 0.2;
/// So much is enough whatever vectors say.
const MOST_WORDS: f32 = 0.7;
/// Nearness of vectors (as [`similarity`] has it) that supports a passage, and that suffices without any
/// common word: a question in another language has none. By multilingual-e5-small on an FAQ, the best
/// passage for questions that it answers has 0.43 to 0.82 (one in twenty below 0.52), for questions that
/// it does not answer 0.06 to 0.46.
const NEAR: f32 = 0.33;
const VERY_NEAR: f32 = 0.47;
/// Less than this contradicts common words, which may be chance.
const FAR: f32 = 0.25;

/// What the cosine of a question and a passage says, 0 to 1. Models of the E5 family were trained with a
/// temperature of 0.01: theirs lie between 0.7 and 1.
pub fn similarity(embedder: &str, cosine: f32) -> f32 {
    let is_e5 = embedder.to_ascii_lowercase().contains("e5");
    let (least, most) = if is_e5 { (0.7, 1.0) } else { (0.0, 1.0) };
    ((cosine - least) / (most - least)).clamp(0.0, 1.0)
}

/// Whether a passage is worth showing to a model for this question. A question of stop words alone
/// ("What is it?") is not judged by words.
pub fn is_relevant(question: &str, source: &Source) -> bool {
    let words = content_words(question);
    let similarity = source.similarity.unwrap_or(0.0);
    if words.is_empty() || similarity >= VERY_NEAR {
        return true;
    }
    let headings = source.heading_path.join(" ");
    let (share, _) = Bag::new(&[&source.name, &headings, &source.text]).share(&words);
    let is_far = source.similarity.is_some_and(|similarity| similarity < FAR);
    share >= MOST_WORDS
        || share >= WORDS_ALONE && !is_far
        || share >= WORDS_BESIDE && similarity >= NEAR
}
