//! What is asked of the index by a person's text?
//!
//! No text is a syntax error. `"…"` asks for words in this order, `word*` for what begins so; all else
//! are words of which a passage has some.

use std::collections::HashSet;

use tantivy::query::{BooleanQuery, BoostQuery, Occur, PhraseQuery, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Term};
use tantivy::{Searcher, TantivyError};

use super::schema::Fields;
use super::{Words, expand};
use crate::analysis::{normal, plain, words};

/// A longer text is asked by its beginning.
const TEXT_CHARS_MAX: usize = 4_000;
/// The words of a longer text that say most.
const WORDS_MAX: usize = 32;
const PHRASE_WORDS_MAX: usize = 24;
const PHRASES_MAX: usize = 8;
/// Stand-ins for a word that is not known, and for a beginning.
const SIMILAR_MAX: usize = 4;
const BEGINNING_MAX: usize = 12;

// What a word counts in each field, against its stem.
const SPELLED_WEIGHT: f32 = 0.3;
const PARTS_WEIGHT: f32 = 0.5;
const HEADS_WEIGHT: f32 = 0.5;
const PHRASE_WEIGHT: f32 = 1.0;

/// A question, cut into words.
pub(super) struct Asked {
    words: Vec<Word>,
    /// Each of two words or more, in plain spelling.
    phrases: Vec<Vec<String>>,
}

struct Word {
    plain: String,
    german: String,
    english: String,
    /// German stems of the compound's parts, or of the word.
    parts: Vec<String>,
    is_stop: bool,
    is_beginning: bool,
    n_times: u32,
}

/// The question as tantivy takes it.
pub(super) struct Form {
    pub query: Box<dyn Query>,
    /// What a passage would score that has every word, once and at average length.
    pub score_ideal: f32,
}

impl Asked {
    pub fn new(own: &Words, text: &str) -> Self {
        let text: String = normal(text).chars().take(TEXT_CHARS_MAX).collect();
        let mut vocabulary =
            own.vocabulary.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut asked = Self { words: Vec::new(), phrases: phrases(&text) };
        let lower: Vec<(String, bool)> = words(&text)
            .map(|word| {
                let end = word.as_ptr() as usize - text.as_ptr() as usize + word.len();
                (word.to_lowercase(), text[end..].starts_with('*'))
            })
            .collect();
        let spelled: Vec<&str> = lower.iter().map(|(word, _)| word.as_str()).collect();
        let stops = own.stops.among(&spelled);
        for ((lower, is_beginning), is_stop) in lower.iter().zip(stops) {
            let plain = plain(lower);
            if let Some(known) = asked.words.iter_mut().find(|word| word.plain == plain) {
                known.n_times += 1;
                continue;
            }
            let mut parts = Vec::new();
            own.parts(&mut vocabulary, &plain, |part| {
                if !parts.contains(&part) {
                    parts.push(part);
                }
            });
            asked.words.push(Word {
                german: own.stems.german(lower),
                english: own.stems.english(lower),
                plain,
                parts,
                is_stop,
                is_beginning: *is_beginning,
                n_times: 1,
            });
        }
        asked
    }

    pub fn has_words(&self) -> bool {
        !self.words.is_empty()
    }

    pub fn has_phrases(&self) -> bool {
        !self.phrases.is_empty()
    }

    /// The terms of the index that stand for the question's words.
    pub fn terms(
        &self,
        searcher: &Searcher,
        fields: &Fields,
    ) -> Result<HashSet<Term>, TantivyError> {
        let weighed = self.weighed(searcher, fields)?;
        Ok(weighed.into_iter().flat_map(|word| word.clauses).map(|(term, _)| term).collect())
    }

    /// The words that say most, each with its terms.
    fn weighed(&self, searcher: &Searcher, fields: &Fields) -> Result<Vec<Weighed>, TantivyError> {
        let is_all_stops = self.words.iter().all(|word| word.is_stop);
        let mut weighed: Vec<Weighed> = Vec::new();
        for word in self.words.iter().filter(|word| !word.is_stop) {
            weighed.push(Weighed::new(searcher, fields, word)?);
        }
        // Words that nobody has leave the little ones to say what is meant.
        let is_known = weighed.iter().any(|word| !word.clauses.is_empty());
        if is_all_stops || !is_known {
            for word in self.words.iter().filter(|word| word.is_stop) {
                weighed.push(Weighed::new(searcher, fields, word)?);
            }
        }
        weighed.sort_by(|a, b| b.ideal.total_cmp(&a.ideal));
        weighed.truncate(WORDS_MAX);
        Ok(weighed)
    }

    /// None when the text has no words. Without `in_order` phrases are words as others.
    pub fn query(
        &self,
        searcher: &Searcher,
        fields: &Fields,
        in_order: bool,
    ) -> Result<Option<Form>, TantivyError> {
        let weighed = self.weighed(searcher, fields)?;
        let score_ideal = weighed.iter().map(|word| word.ideal).sum::<f32>().max(f32::EPSILON);

        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (term, weight) in weighed.into_iter().flat_map(|word| word.clauses) {
            clauses.push((Occur::Should, weighted(term, weight)));
        }
        let any: Option<Box<dyn Query>> =
            (!clauses.is_empty()).then(|| Box::new(BooleanQuery::new(clauses)) as Box<dyn Query>);
        if !in_order || self.phrases.is_empty() {
            return Ok(any.map(|query| Form { query, score_ideal }));
        }
        let mut clauses: Vec<(Occur, Box<dyn Query>)> =
            any.into_iter().map(|any| (Occur::Should, any)).collect();
        for phrase in &self.phrases {
            let terms = phrase.iter().map(|w| Term::from_field_text(fields.spelled, w)).collect();
            let phrase = BoostQuery::new(Box::new(PhraseQuery::new(terms)), PHRASE_WEIGHT);
            clauses.push((Occur::Must, Box::new(phrase)));
        }
        Ok(Some(Form { query: Box::new(BooleanQuery::new(clauses)), score_ideal }))
    }
}

/// A word with the terms that stand for it in the index.
struct Weighed {
    clauses: Vec<(Term, f32)>,
    /// What it would score in a passage that has it once.
    ideal: f32,
}

impl Weighed {
    fn new(searcher: &Searcher, fields: &Fields, word: &Word) -> Result<Self, TantivyError> {
        let mut own = Self { clauses: Vec::new(), ideal: 0.0 };
        let mut n_passages_max = 0;
        let mut add = |own: &mut Self, field: Field, text: &str, weight: f32| {
            let term = Term::from_field_text(field, text);
            let n = searcher.doc_freq(&term)?;
            n_passages_max = n_passages_max.max(n);
            if n > 0 && !own.clauses.iter().any(|(known, _)| *known == term) {
                own.clauses.push((term, weight));
            }
            Ok::<_, TantivyError>(())
        };
        // Asking twice is meant once and a half.
        let times = 1.0 + 0.5 * (word.n_times.min(3) - 1) as f32;
        for stem in [&word.german, &word.english] {
            add(&mut own, fields.stemmed, stem, times)?;
        }
        if !word.is_stop {
            add(&mut own, fields.stemmed, &word.plain, times)?;
            add(&mut own, fields.spelled, &word.plain, times * SPELLED_WEIGHT)?;
            let each = PARTS_WEIGHT / (word.parts.len() as f32).sqrt();
            for part in &word.parts {
                add(&mut own, fields.parts, part, times * each)?;
            }
            for form in [&word.german, &word.english, &word.plain] {
                add(&mut own, fields.heads, form, times * HEADS_WEIGHT)?;
            }
        }
        let mut meant = Vec::new();
        if word.is_beginning {
            meant = expand::beginning(searcher, fields.spelled, &word.plain, BEGINNING_MAX)?;
        } else if own.clauses.is_empty() && !word.is_stop {
            meant = expand::similar(searcher, fields.spelled, &word.plain, SIMILAR_MAX)?;
            if meant.is_empty() {
                meant = expand::beginning(searcher, fields.spelled, &word.plain, BEGINNING_MAX)?;
            }
        }
        for stand_in in &meant {
            add(&mut own, fields.spelled, &stand_in.word, times * stand_in.weight)?;
        }
        let n_all = searcher.num_docs().max(n_passages_max) as f32;
        let n = n_passages_max as f32;
        let idf = (1.0 + (n_all - n + 0.5) / (n + 0.5)).ln();
        own.ideal = times * idf * (1.0 + SPELLED_WEIGHT + PARTS_WEIGHT);
        Ok(own)
    }
}

fn weighted(term: Term, weight: f32) -> Box<dyn Query> {
    let query = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
    if weight == 1.0 { query } else { Box::new(BoostQuery::new(query, weight)) }
}

/// What stands in double quotes, if two words or more. Quotes that nobody closes are none.
fn phrases(text: &str) -> Vec<Vec<String>> {
    let is_quote = |c: char| matches!(c, '"' | '„' | '“' | '”');
    let pieces: Vec<&str> = text.split(is_quote).collect();
    let n_closed = pieces.len().saturating_sub(1) / 2;
    pieces
        .iter()
        .skip(1)
        .step_by(2)
        .take(n_closed.min(PHRASES_MAX))
        .map(|phrase| {
            words(phrase).take(PHRASE_WORDS_MAX).map(|word| plain(&word.to_lowercase())).collect()
        })
        .filter(|phrase: &Vec<String>| phrase.len() > 1)
        .collect()
}
