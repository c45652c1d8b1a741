//! Where in a passage stand the words by which a question finds it?
//!
//! Each word of the passage is analysed as it was for the index, and compared with the terms that stand
//! for the question: so stems, spellings, typing errors and parts of compounds are marked as they match.

use std::collections::{HashMap, HashSet};

use tantivy::schema::Term;

use super::Words;
use super::schema::Fields;
use crate::DocLang;
use crate::analysis::{Vocabulary, placed_words, plain};

/// Marks of one passage; behind them is enough colour.
const MARKS_MAX: usize = 100;

/// Marks passages for one question.
pub(super) struct Marker<'a> {
    words: &'a Words,
    vocabulary: &'a mut Vocabulary,
    fields: &'a Fields,
    /// What the question stands for in the index.
    terms: HashSet<Term>,
    /// Words that were looked at, in lower case: most come again.
    seen: HashMap<(DocLang, String), bool>,
}

impl<'a> Marker<'a> {
    pub fn new(
        words: &'a Words,
        vocabulary: &'a mut Vocabulary,
        fields: &'a Fields,
        terms: HashSet<Term>,
    ) -> Self {
        Self { words, vocabulary, fields, terms, seen: HashMap::new() }
    }

    /// Ranges of chars, in order.
    pub fn marks(&mut self, text: &str, lang: DocLang) -> Vec<[u32; 2]> {
        if self.terms.is_empty() {
            return Vec::new();
        }
        let mut marks = Vec::new();
        for (chars, word) in placed_words(text) {
            if marks.len() == MARKS_MAX {
                break;
            }
            if self.is_asked(word.to_lowercase(), lang) {
                marks.push([chars.start, chars.end]);
            }
        }
        marks
    }

    fn is_asked(&mut self, lower: String, lang: DocLang) -> bool {
        let key = (lang, lower);
        if let Some(known) = self.seen.get(&key) {
            return *known;
        }
        let found = self.matches(&key.1, lang);
        self.seen.insert(key, found);
        found
    }

    fn matches(&mut self, lower: &str, lang: DocLang) -> bool {
        let (words, fields) = (self.words, self.fields);
        let plain = plain(lower);
        let stem = Term::from_field_text(fields.stemmed, &words.stems.of(lang, lower));
        if self.terms.contains(&stem)
            || self.terms.contains(&Term::from_field_text(fields.spelled, &plain))
        {
            return true;
        }
        if lang == DocLang::En || words.stops.is_german(lower) {
            return false;
        }
        let mut found = false;
        words.parts(self.vocabulary, &plain, |part| {
            found |= self.terms.contains(&Term::from_field_text(fields.parts, &part));
        });
        found
    }
}
