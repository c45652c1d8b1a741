//! Where was that said? Search over titles and texts, blind to case and diacritics.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

use super::merge::Merge;
use super::query::ConversationView;

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

/// The words of a query, ready to be asked of one conversation after the other: a page with thousands of them
/// does so in slices, between its frames.
#[derive(Clone, Debug)]
pub struct Search {
    words: Vec<String>,
}

impl Search {
    /// None: there is nothing to look for.
    pub fn new(query: &str, decompose: Decompose<'_>) -> Option<Self> {
        let words = query.split_whitespace().map(|word| fold(word, decompose));
        let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
        (!words.is_empty()).then_some(Self { words })
    }
}

impl Merge {
    /// Titles and messages that hold every word of `query`, in [`Merge::conversations`]'s order, a
    /// title before the messages and these newest first. Words match anywhere, also inside of longer
    /// ones; what is deleted is not searched, other branches are.
    pub fn search(&self, query: &str, decompose: Decompose<'_>) -> Vec<Hit> {
        let Some(search) = Search::new(query, decompose) else { return Vec::new() };
        let views = self.conversations();
        views.iter().flat_map(|view| self.hits_in(view, &search, decompose)).collect()
    }

    /// The first of what [`Merge::search`] finds in one conversation.
    pub fn first_hit(
        &self,
        view: &ConversationView<'_>,
        search: &Search,
        decompose: Decompose<'_>,
    ) -> Option<Hit> {
        self.hits_in(view, search, decompose).next()
    }

    fn hits_in(
        &self,
        view: &ConversationView<'_>,
        search: &Search,
        decompose: Decompose<'_>,
    ) -> impl Iterator<Item = Hit> {
        let conversation = view.id;
        let hit = move |text: &str, message| {
            let (snippet, matched) = find(text, &search.words, decompose)?;
            Some(Hit { conversation, message, snippet, matched })
        };
        let title = view.title.and_then(|title| hit(title, None));
        let ids = self.messages_of.get(&conversation).into_iter().flatten();
        let mut messages: Vec<Uuid> =
            ids.copied().filter(|&id| self.path_to(id).is_some()).collect();
        messages.sort_by_key(|id| {
            let added = self.messages.get(id).and_then(|message| message.added);
            std::cmp::Reverse(added.map(|added| added.stamp))
        });
        title.into_iter().chain(messages.into_iter().filter_map(move |id| {
            let written = self.messages.get(&id).and_then(|message| message.content.as_ref())?;
            hit(&written.content.text, Some(id))
        }))
    }
}

/// What a character falls apart into: its compatibility decomposition (NFKD) without combining marks. A
/// browser brings the tables of it, which are larger than all of the search.
pub type Decompose<'a> = &'a dyn Fn(char) -> String;

/// [`Decompose`] where no browser does it.
pub fn decomposed(c: char) -> String {
    std::iter::once(c).nfkd().filter(|&letter| !is_combining_mark(letter)).collect()
}

/// Text without case and diacritics: "Größe" and "GRÖSSE" become "grosse".
pub fn fold(text: &str, decompose: Decompose<'_>) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        fold_char(c, decompose, &mut |letter| folded.push(letter));
    }
    folded
}

fn fold_char(c: char, decompose: Decompose<'_>, each: &mut dyn FnMut(char)) {
    match c {
        '\0'..='\x7f' => each(c.to_ascii_lowercase()),
        // It has no decomposition, only an upper case of two letters.
        'ß' | 'ẞ' => "ss".chars().for_each(each),
        _ => decompose(c).chars().flat_map(char::to_lowercase).for_each(each),
    }
}

/// The surroundings of the first word, when the text holds all of them.
fn find(text: &str, words: &[String], decompose: Decompose<'_>) -> Option<(String, Range<usize>)> {
    let folded = fold(text, decompose);
    let at = folded.find(words.first()?.as_str())?;
    if !words.iter().all(|word| folded.contains(word.as_str())) {
        return None;
    }
    let first = at..at + words.first()?.len();
    // Only for what was found: where the character starts that each byte of the folded text comes from.
    let mut origins = Vec::with_capacity(folded.len());
    for (at, c) in text.char_indices() {
        let mut n_bytes = origins.len();
        fold_char(c, decompose, &mut |letter| n_bytes += letter.len_utf8());
        origins.resize(n_bytes, at);
    }
    let start = origins[first.start];
    let last = origins[first.end - 1];
    // To the end of the last character and of the marks that stand on it.
    let end = text[last..]
        .char_indices()
        .skip(1)
        .find(|&(_, c)| !fold(c.encode_utf8(&mut [0; 4]), decompose).is_empty())
        .map_or(text.len(), |(at, _)| last + at);
    let before: usize = text[..start].chars().rev().take(CONTEXT_CHARS).map(char::len_utf8).sum();
    let behind: usize = text[end..].chars().take(CONTEXT_CHARS).map(char::len_utf8).sum();
    let snippet = text[start - before..end + behind].to_owned();
    Some((snippet, before..before + (end - start)))
}
