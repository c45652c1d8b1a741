//! Where was that said? Search over titles and texts, blind to case and diacritics.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

use super::merge::Merge;

/// Characters of context before and behind a match.
const CONTEXT_CHARS: usize = 60;

/// A conversation's title or a message that holds every word of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub conversation: Uuid,
    /// None: the title.
    pub message: Option<Uuid>,
    /// The text around the first word that was found.
    pub snippet: String,
    /// Bytes of `snippet` that match.
    pub matched: Range<usize>,
}

impl Merge {
    /// Titles and messages that hold every word of `query`, in [`Merge::conversations`]'s order, a
    /// title before the messages and these newest first. Words match anywhere, also inside of longer
    /// ones; what is deleted is not searched, other branches are.
    pub fn search(&self, query: &str) -> Vec<Hit> {
        let words: Vec<String> = query.split_whitespace().map(fold).collect();
        let mut hits = Vec::new();
        if words.iter().all(String::is_empty) {
            return hits;
        }
        for view in self.conversations() {
            if let Some((snippet, matched)) = view.title.and_then(|text| find(text, &words)) {
                hits.push(Hit { conversation: view.id, message: None, snippet, matched });
            }
            let ids = self.messages_of.get(&view.id).into_iter().flatten();
            let mut messages: Vec<Uuid> =
                ids.copied().filter(|&id| self.path_to(id).is_some()).collect();
            messages.sort_by_key(|id| {
                let added = self.messages.get(id).and_then(|message| message.added);
                std::cmp::Reverse(added.map(|added| added.stamp))
            });
            for id in messages {
                let text = self.messages.get(&id).and_then(|message| message.content.as_ref());
                let found = text.and_then(|written| find(&written.content.text, &words));
                if let Some((snippet, matched)) = found {
                    let (conversation, message) = (view.id, Some(id));
                    hits.push(Hit { conversation, message, snippet, matched });
                }
            }
        }
        hits
    }
}

/// Text without case and diacritics: "Größe" and "GRÖSSE" become "grosse".
pub fn fold(text: &str) -> String {
    text.chars().flat_map(fold_char).collect()
}

fn fold_char(c: char) -> impl Iterator<Item = char> {
    // ß has no decomposition, only an upper case of two letters.
    let letters = if matches!(c, 'ß' | 'ẞ') { ['s', 's'] } else { [c, '\0'] };
    letters
        .into_iter()
        .filter(|&letter| letter != '\0')
        .nfkd()
        .filter(|&letter| !is_combining_mark(letter))
        .flat_map(char::to_lowercase)
        // Lower case can bring marks back: İ.
        .filter(|&letter| !is_combining_mark(letter))
}

/// The surroundings of the first word, when the text holds all of them.
fn find(text: &str, words: &[String]) -> Option<(String, Range<usize>)> {
    let mut folded = String::with_capacity(text.len());
    // For each byte of the folded text, where the character that it came from starts.
    let mut origins = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        for letter in fold_char(c) {
            folded.push(letter);
            origins.resize(folded.len(), at);
        }
    }
    let mut first = None;
    for word in words.iter().filter(|word| !word.is_empty()) {
        let at = folded.find(word.as_str())?;
        first.get_or_insert(at..at + word.len());
    }
    let first = first?;
    let start = origins[first.start];
    let last = origins[first.end - 1];
    // To the end of the last character and of the marks that stand on it.
    let end = text[last..]
        .char_indices()
        .skip(1)
        .find(|&(_, c)| fold_char(c).next().is_some())
        .map_or(text.len(), |(at, _)| last + at);
    let before: usize = text[..start].chars().rev().take(CONTEXT_CHARS).map(char::len_utf8).sum();
    let behind: usize = text[end..].chars().take(CONTEXT_CHARS).map(char::len_utf8).sum();
    let snippet = text[start - before..end + behind].to_owned();
    Some((snippet, before..before + (end - start)))
}
