//! Which spellings are the same word?

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A word in lower case without its marks: `é` is `e`, `ß` is `ss`, `ü` is `u`.
pub(crate) fn stripped(lower: &str) -> String {
    if lower.is_ascii() {
        return lower.to_owned();
    }
    let mut out = String::with_capacity(lower.len());
    for c in lower.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            _ => out.push(c),
        }
    }
    out
}

/// [`stripped`], and the spelling of umlauts by two letters too: `Müller`, `Mueller` and `Muller` meet.
///
/// Other words lose a letter by it (`does` is `dos`), in questions and passages alike: they still meet
/// themselves. Behind a vowel or a `q` no umlaut is written so: `neue`, `Steuer`, `Quelle` stay.
pub(crate) fn plain(lower: &str) -> String {
    let stripped = stripped(lower);
    if !["ae", "oe", "ue"].iter().any(|pair| stripped.contains(pair)) {
        return stripped;
    }
    let mut out = String::with_capacity(stripped.len());
    let mut before = None;
    let mut chars = stripped.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        let is_umlaut = matches!(c, 'a' | 'o' | 'u')
            && !matches!(before, Some('a' | 'e' | 'i' | 'o' | 'u' | 'q'));
        if is_umlaut && chars.peek() == Some(&'e') {
            chars.next();
        }
        before = Some(c);
    }
    out
}
