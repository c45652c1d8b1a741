//! Which words of the index may be meant by one that it does not know?

use std::cmp::Reverse;
use std::collections::HashMap;

use tantivy::Searcher;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, Term};

/// A word that stands in for another.
#[derive(Debug, PartialEq)]
pub(super) struct Meant {
    pub word: String,
    /// Of the stand-in, against the word itself: 0 to 1.
    pub weight: f32,
}

/// Words looked at for one beginning.
const LOOKED_AT_MAX: usize = 2_000;
/// A longer word may have two slips, a shorter one none.
const TWO_SLIPS_CHARS_MIN: usize = 8;
const ONE_SLIP_CHARS_MIN: usize = 4;
const BEGINNING_CHARS_MIN: usize = 3;

/// The most frequent words that begin so.
pub(super) fn beginning(
    searcher: &Searcher,
    field: Field,
    start: &str,
    n_max: usize,
) -> tantivy::Result<Vec<Meant>> {
    if start.chars().count() < BEGINNING_CHARS_MIN {
        return Ok(Vec::new());
    }
    let mut frequencies: HashMap<String, u32> = HashMap::new();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut terms = index.terms().range().ge(start.as_bytes()).into_stream()?;
        let mut n_seen = 0;
        while n_seen < LOOKED_AT_MAX && terms.advance() && terms.key().starts_with(start.as_bytes())
        {
            n_seen += 1;
            if let Ok(word) = std::str::from_utf8(terms.key()) {
                *frequencies.entry(word.to_owned()).or_default() += terms.value().doc_freq;
            }
        }
    }
    let mut found: Vec<(String, u32)> = frequencies.into_iter().collect();
    found.sort_unstable_by(|a, b| (Reverse(a.1), &a.0).cmp(&(Reverse(b.1), &b.0)));
    found.truncate(n_max);
    Ok(found.into_iter().map(|(word, _)| Meant { word, weight: 0.7 }).collect())
}

/// The words that differ least, and among those the most frequent.
pub(super) fn similar(
    searcher: &Searcher,
    field: Field,
    word: &str,
    n_max: usize,
) -> tantivy::Result<Vec<Meant>> {
    let n_chars = word.chars().count();
    if n_chars < ONE_SLIP_CHARS_MIN || word.chars().any(|c| !c.is_alphabetic()) {
        return Ok(Vec::new());
    }
    let n_slips = if n_chars < TWO_SLIPS_CHARS_MIN { 1 } else { 2 };
    let fuzzy = FuzzyTermQuery::new(Term::from_field_text(field, word), n_slips, true);
    let mut found: HashMap<String, u32> = HashMap::new();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut terms = index.terms().search(fuzzy.automaton()?).into_stream()?;
        while terms.advance() {
            if let Ok(similar) = std::str::from_utf8(terms.key()) {
                *found.entry(similar.to_owned()).or_default() += terms.value().doc_freq;
            }
        }
    }
    let initial = word.chars().next();
    let mut found: Vec<(u32, Reverse<u32>, String)> = found
        .into_iter()
        .map(|(similar, n)| (slips(word, &similar), Reverse(n), similar))
        // Two slips with the first letter among them: another word.
        .filter(|(n_slips, _, similar)| *n_slips < 2 || similar.chars().next() == initial)
        .collect();
    found.sort_unstable();
    let nearest = found.first().map_or(0, |first| first.0);
    found.retain(|(n_slips, _, _)| *n_slips == nearest);
    found.truncate(n_max);
    let weight = if nearest < 2 { 0.7 } else { 0.4 };
    Ok(found.into_iter().map(|(_, _, word)| Meant { word, weight }).collect())
}

/// Letters that are left out, added, changed, or swapped with their neighbour.
fn slips(a: &str, b: &str) -> u32 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<u32>> = vec![(0..=b.len() as u32).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i as u32];
        for j in 1..=b.len() {
            let change = u32::from(a[i - 1] != b[j - 1]);
            let mut least =
                (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::slips;

    #[test]
    fn a_swap_is_one_slip() {
        assert_eq!(slips("satzung", "stazung"), 1);
        assert_eq!(slips("satzung", "satzng"), 1);
        assert_eq!(slips("satzung", "sitzung"), 1);
        assert_eq!(slips("satzung", "satzung"), 0);
        assert_eq!(slips("", "ab"), 2);
    }
}
