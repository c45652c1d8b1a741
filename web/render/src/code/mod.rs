//! Which words of a code are what? A tokenizer by tables, for the languages that answers are full of: it
//! knows words, texts, comments and numbers, which is what colours are for, and no grammar.

mod language;
mod scan;

use language::Kind;

/// Longest code that is coloured, in bytes.
const TEXT_MAX_BYTES: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Keyword,
    String,
    Comment,
    Number,
    /// Of a function, a type, a key, an element or an attribute.
    Name,
    Inserted,
    Deleted,
    /// What is said to tools: an attribute, a place in a diff.
    Meta,
}

impl Class {
    /// By number.
    pub const NAMES: [&'static str; 8] =
        ["keyword", "string", "comment", "number", "name", "inserted", "deleted", "meta"];
}

/// A stretch of one class, in UTF-16 units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub class: Class,
    pub start: u32,
    pub end: u32,
}

/// First to last, apart from one another; none for a language that is not known.
pub fn spans(language: &str, text: &str) -> Option<Vec<Span>> {
    let language = language::find(language)?;
    if text.len() > TEXT_MAX_BYTES {
        return None;
    }
    let found = match &language.kind {
        Kind::Words(words) => scan::words(text, words),
        Kind::Markup => scan::markup(text),
        Kind::Diff => scan::diff(text),
    };
    let (mut at_byte, mut at_unit) = (0, 0);
    let mut units = |byte: usize| {
        at_unit += text[at_byte..byte].chars().map(char::len_utf16).sum::<usize>() as u32;
        at_byte = byte;
        at_unit
    };
    let spans = found.into_iter().map(|(class, range)| {
        let (start, end) = (units(range.start), units(range.end));
        Span { class, start, end }
    });
    Some(spans.collect())
}

#[cfg(test)]
mod tests;
