//! Where does a text's next word begin and end?

use std::borrow::Cow;

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
