//! Where does a sentence end? In German, too, where `z. B.` and `3. Oktober` end none.

use std::ops::Range;

/// Words that a full stop belongs to, in lower case and without it.
const ABBREVIATIONS: &[&str] = &[
    "abb", "abk", "abs", "abschn", "abt", "allg", "anh", "anl", "anm", "art", "aufl", "bd", "betr",
    "bsp", "bspw", "bzgl", "bzw", "ca", "chap", "co", "dergl", "dez", "dgl", "dipl", "dr", "ebd",
    "ed", "eds", "eq", "etc", "evtl", "fa", "feb", "ff", "fig", "figs", "fr", "gem", "ges", "gez",
    "ggf", "ggfs", "hl", "hr", "hrsg", "inc", "incl", "ing", "inkl", "insb", "jan", "jg", "jh",
    "jr", "kap", "lit", "ltd", "max", "min", "mind", "mio", "mr", "mrd", "mrs", "ms", "mtl", "no",
    "nos", "nov", "nr", "oct", "okt", "pp", "prof", "resp", "rn", "rs", "sec", "sen", "sep",
    "sept", "sog", "sp", "sr", "st", "std", "str", "tab", "tel", "tsd", "urspr", "usw", "uvm",
    "verf", "vgl", "viz", "vol", "vorl", "vs", "wg", "zit", "zt", "ztr", "zzgl",
];

/// The sentences of a paragraph as byte ranges, without the blanks between them, in order.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = match c {
            '.' | '!' | '?' | '…' | '。' | '！' | '？' => true,
            '\n' => chars.peek().is_some_and(|&(_, next)| next == '\n'),
            _ => false,
        };
        if !ends {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some(&(next_at, next)) = chars.peek() {
            if !matches!(
                next,
                '"' | '\'' | '”' | '“' | '’' | '»' | '«' | ')' | ']' | '.' | '!' | '?'
            ) {
                break;
            }
            end = next_at + next.len_utf8();
            chars.next();
        }
        let behind = &text[end..];
        let is_wide = matches!(c, '。' | '！' | '？');
        let is_parted = behind.starts_with(char::is_whitespace) || is_wide || behind.is_empty();
        let next = behind.trim_start().chars().next();
        let goes_on = next.is_some_and(|next| next.is_lowercase());
        if !is_parted || (c == '.' && (goes_on || is_abbreviated(&text[start..at]))) {
            continue;
        }
        push(&mut found, text, start..end);
        start = end;
    }
    push(&mut found, text, start..text.len());
    found
}

/// Whether the full stop behind `before` belongs to its last word.
fn is_abbreviated(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || "(„\"»[/–".contains(c)).next();
    let word = word.unwrap_or_default();
    // `z.B`, `d.h`: the part behind the inner full stop decides.
    let last = word.rsplit('.').next().unwrap_or_default();
    let n_chars = last.chars().count();
    if last.chars().all(|c| c.is_ascii_digit()) {
        // An ordinal or a day; years and quantities end sentences.
        return n_chars <= 2 && n_chars > 0;
    }
    n_chars == 1 || ABBREVIATIONS.binary_search(&last.to_lowercase().as_str()).is_ok()
}

fn push(found: &mut Vec<Range<usize>>, text: &str, range: Range<usize>) {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    let end = start + part.trim().len();
    if start < end {
        found.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = sentences(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn abbreviations_are_sorted() {
        assert!(ABBREVIATIONS.is_sorted());
    }

    #[test]
    fn german_abbreviations_and_ordinals_end_no_sentence() {
        check(
            "Am 3. Oktober gilt z. B. § 5 Abs. 2 Satz 1. Das sind ca. 3,5 Mio. Euro. Ende!",
            &["Am 3. Oktober gilt z. B. § 5 Abs. 2 Satz 1. Das sind ca. 3,5 Mio. Euro.", "Ende!"],
        );
        check(
            "Dr. Meier kam z.B. Montag. Es war 1990. Danach („wie üblich.“) ging er.",
            &["Dr. Meier kam z.B. Montag.", "Es war 1990.", "Danach („wie üblich.“) ging er."],
        );
    }

    #[test]
    fn english_and_odd_ends() {
        check(
            "Is it? Yes (it is.) See e.g. Fig. 3. Done",
            &["Is it?", "Yes (it is.)", "See e.g. Fig. 3. Done"],
        );
        check("version 1.2.3 is out. OK", &["version 1.2.3 is out.", "OK"]);
        check("  ", &[]);
        check("你好。再见。", &["你好。", "再见。"]);
    }
}
