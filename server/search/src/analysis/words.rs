//! Where does a text's next word begin and end?

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::WORD_CHARS_MAX;

/// Letters and their marks as one character, and no hyphens that only say where a line may break.
pub(crate) fn normal(text: &str) -> Cow<'_, str> {
    let has_soft_hyphens = text.contains('\u{ad}');
    if !has_soft_hyphens && is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| *c != '\u{ad}').nfc().collect())
}

/// The words of a [`normal`] text, in its own case. `Debian's` is `Debian`; `E-Mail` is `E`, `Mail`.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_genitive =
        |from: usize, word: &str| matches!(word, "s" | "S") && text[..from].ends_with(['\'', '’']);
    let mut rest = 0;
    std::iter::from_fn(move || {
        loop {
            let from = rest + text[rest..].find(char::is_alphanumeric)?;
            let until = text[from..]
                .find(|c: char| !c.is_alphanumeric())
                .map_or(text.len(), |length| from + length);
            rest = until;
            let word = &text[from..until];
            let is_word = word.len() <= 4 * WORD_CHARS_MAX
                && word.chars().count() <= WORD_CHARS_MAX
                && !is_genitive(from, word);
            if is_word {
                return Some(word);
            }
        }
    })
}

/// The [`words`] of any text, each [`normal`] and with its place in the text as it stands, in chars.
pub(crate) fn placed_words(text: &str) -> Vec<(Range<u32>, String)> {
    let mut found = Vec::new();
    let mut run = String::new();
    let mut start = 0;
    for (at, c) in (0..).zip(text.chars().chain([' '])) {
        let goes_on = !run.is_empty() && (is_combining_mark(c) || c == '\u{ad}');
        if c.is_alphanumeric() || goes_on {
            if run.is_empty() {
                start = at;
            }
            run.push(c);
        } else if !run.is_empty() {
            let whole = normal(&run);
            found.extend(words(&whole).map(|word| (start..at, word.to_owned())));
            run.clear();
        }
    }
    found
}
