//! Which words does a text hold, in a form in which their inflections meet?

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub term: String,
    /// In chars.
    pub chars: Range<u32>,
}

/// Words that say nothing of what a text is about.
const STOP_WORDS: &str = " a an and are as at be by for from how in is it of on or that the this to was what \
    when where which who why will with you \
    aber als am auf aus bei bin das dem den der des die ein eine einem einen einer es fur hat ich ihr im ist \
    kann mit nach nicht oder sich sie sind und uns von vor was wann wer wie wir wird wo zu zum zur ";

/// The words of `text`, in order.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut start = 0;
    for (c, at) in text.chars().chain([' ']).zip(0..) {
        if c.is_alphanumeric() {
            if word.is_empty() {
                start = at;
            }
            word.push(c);
        } else if !word.is_empty() {
            words.push(Word { term: term(&std::mem::take(&mut word)), chars: start..at });
        }
    }
    words
}

/// What is asked for: without the words that stand in every text, unless there are no others.
pub fn query_terms(query: &str) -> Vec<String> {
    let all: Vec<String> = words(query).into_iter().map(|word| word.term).collect();
    let mut terms: Vec<String> = all.iter().filter(|term| !is_stop_word(term)).cloned().collect();
    if terms.is_empty() {
        terms = all;
    }
    terms.sort_unstable();
    terms.dedup();
    terms
}

fn is_stop_word(term: &str) -> bool {
    STOP_WORDS.contains(&format!(" {term} "))
}

/// Folded and cut down to about its stem.
fn term(word: &str) -> String {
    stem(folded(word))
}

/// Lower case, without marks; `ae` and `ä` are one, and `ß` is `ss`.
fn folded(word: &str) -> String {
    let is_mark = |c: &char| unicode_normalization::char::is_combining_mark(*c);
    let plain: String =
        word.to_lowercase().replace('ß', "ss").nfkd().filter(|c| !is_mark(c)).collect();
    plain.replace("ae", "a").replace("oe", "o").replace("ue", "u")
}

/// Takes an ending of German or English off, where enough is left. Wrong in a word, it is wrong the same
/// way in the query.
fn stem(mut word: String) -> String {
    const ENDINGS: [&str; 8] = ["ern", "en", "er", "es", "em", "e", "s", "n"];
    const LEAST: usize = 4;
    if word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word;
    }
    let n_chars = word.chars().count();
    let ending = ENDINGS.iter().find(|end| word.ends_with(**end) && n_chars - end.len() >= LEAST);
    if let Some(ending) = ending {
        word.truncate(word.len() - ending.len());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflections_meet() {
        #[track_caller]
        fn same(a: &str, b: &str) {
            assert_eq!(term(a), term(b), "{a}, {b}");
        }
        same("Gärten", "Garten");
        same("Gaerten", "gärten");
        same("Straße", "STRASSEN");
        same("Mitglieder", "Mitglied");
        same("meeting", "meetings");
        assert_ne!(term("Haus"), term("Maus"));
        assert_eq!(term("2024er"), "2024er");
    }

    #[test]
    fn words_know_where_they_stand_and_questions_lose_what_says_nothing() {
        let found = words("Wo ist „Höfe“?");
        assert_eq!(found[2].chars, 8..12);
        assert_eq!(query_terms("Wo ist der Garten?"), ["gart"]);
        assert_eq!(query_terms("to be"), ["be", "to"]);
    }
}
