//! Which terms stand for a text?
//!
//! Each passage is analysed in its own language, each question in both, so that neither has to say in
//! which language the other is.

mod compounds;
mod fold;
mod stop;
mod words;

pub(crate) use compounds::Vocabulary;
pub(crate) use fold::{plain, stripped};
pub(crate) use stop::Stops;
pub(crate) use words::{normal, placed_words, words};

use frostem::{Algorithm, Stemmer};
use portico_shared::documents::DocLang;

/// Longer runs of letters are no words: encoded data, drawn lines.
pub(crate) const WORD_CHARS_MAX: usize = 64;

/// Both languages' stemmers.
pub(crate) struct Stems {
    german: Stemmer,
    english: Stemmer,
}

impl Stems {
    pub fn new() -> Self {
        Self { german: Stemmer::new(Algorithm::German), english: Stemmer::new(Algorithm::English) }
    }

    /// The German stem of a word in lower case: `häuser` and `haeuser` give `haus`.
    pub fn german(&self, lower: &str) -> String {
        stripped(&self.german.stem(lower))
    }

    /// The English stem of a word in lower case.
    pub fn english(&self, lower: &str) -> String {
        stripped(&self.english.stem(lower))
    }

    /// The stem in the language of a passage; a language that is not known keeps its words.
    pub fn of(&self, lang: DocLang, lower: &str) -> String {
        match lang {
            DocLang::De => self.german(lower),
            DocLang::En => self.english(lower),
            DocLang::Other => plain(lower),
        }
    }
}

#[cfg(test)]
mod tests;
