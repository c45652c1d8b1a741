//! What does an answer rest on that cites nothing? Small models rarely cite: each of their sentences is
//! compared with the sources, and what is found is marked as found by comparison.

use super::words::{Bag, content_words, is_number};
use super::{Citation, CitedBy, Source};

/// How much of what a sentence says its source must say.
const SHARE: f32 = 0.6;
/// Fewer common words can be chance, unless they are all there are.
const WORDS_MIN: usize = 2;

/// Citations at the ends of the sentences that a source bears out; neighbours that rest on the same
/// source share one. Code is left out, and so are questions, which state nothing.
pub fn attributions(text: &str, sources: &[Source]) -> Vec<Citation> {
    let bags: Vec<Bag> = sources
        .iter()
        .map(|source| Bag::new(&[&source.name, &source.heading_path.join(" "), &source.text]))
        .collect();
    let mut citations: Vec<Citation> = Vec::new();
    let mut is_open = false;
    for sentence in sentences(text) {
        if sentence.text.trim_end().ends_with('?') {
            is_open = false;
            continue;
        }
        let words = content_words(sentence.text);
        let best =
            bags.iter().zip(sources).fold(None, |best: Option<(f32, u32)>, (bag, source)| {
                let (share, n_found) = bag.share(&words);
                // A number that the source does not have is not borne out by the words around it.
                let has_numbers =
                    words.iter().all(|word| !is_number(&word.stem) || bag.has(&word.stem));
                let is_enough =
                    share >= SHARE && has_numbers && n_found >= WORDS_MIN.min(words.len()).max(1);
                // Of equals the better source, which comes first.
                match best {
                    Some((other, _)) if other >= share => best,
                    _ if is_enough => Some((share, source.n)),
                    _ => best,
                }
            });
        let Some((_, n)) = best else {
            is_open &= words.is_empty();
            continue;
        };
        let at = sentence.end_chars;
        match citations.last_mut() {
            Some(last) if is_open && last.n == n && !sentence.begins_block => last.at = at,
            _ => citations.push(Citation { n, at, by: CitedBy::Comparison }),
        }
        is_open = true;
    }
    citations
}

struct Sentence<'a> {
    text: &'a str,
    /// Characters of the whole text before its end.
    end_chars: u32,
    /// The first of its line.
    begins_block: bool,
}

fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let mut found = Vec::new();
    let (mut n_chars, mut in_code) = (0_u32, false);
    for line in text.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        if !in_code && !is_fence {
            split_line(line, n_chars, &mut found);
        }
        n_chars += line.chars().count() as u32;
    }
    found
}

/// A sentence ends at `.`, `!` or `?` before a blank, or with its line.
fn split_line<'a>(line: &'a str, before: u32, found: &mut Vec<Sentence<'a>>) {
    let body = line.trim_end();
    let (mut start, mut begins_block) = (0, true);
    let mut previous = ' ';
    for (n_chars, (at, c)) in (0_u32..).zip(body.char_indices()) {
        let is_end = c.is_whitespace() && matches!(previous, '.' | '!' | '?' | ':');
        // `1. item` and `z. B. so` end nothing.
        let long_enough = body[start..at].chars().filter(|c| c.is_alphabetic()).count() >= 8;
        if is_end && long_enough {
            let text = &body[start..at];
            found.push(Sentence { text, end_chars: before + n_chars, begins_block });
            (start, begins_block) = (at, false);
        }
        previous = c;
    }
    if start < body.len() {
        let end_chars = before + body.chars().count() as u32;
        found.push(Sentence { text: &body[start..], end_chars, begins_block });
    }
}
