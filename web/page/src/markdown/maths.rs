//! Where does a text hold formulas, and where only dollars?
//!
//! The parser knows `$…$` and `$$…$$`; models also write `\(…\)` and `\[…\]`, and prices. So before it is
//! parsed a text is marked: a delimiter of two characters becomes `$$`, a dollar that is none becomes
//! a letter that the text does not have. Each takes as many bytes as before, so that the parser's places are the source's, and
//! what was marked in vain (in code, say) is shown as it was written.

use std::borrow::Cow;
use std::ops::Range;

use super::node::Tag;

/// One of these stands for a dollar that begins and ends nothing: one byte, as it is, and no markup.
const LETTERS: &str = "QXZJqxzjWYKV\u{1}";
/// Longest formula, in bytes: whatever is longer is a text between two prices.
const FORMULA_MAX_BYTES: usize = 4_000;

/// What kind of text is asked for.
#[derive(Clone, Copy)]
pub struct Written {
    /// `\(` stands for itself; elsewhere the backslash is an escape.
    pub is_code: bool,
}

/// A text with its formulas marked.
pub struct Marked<'a> {
    source: &'a str,
    text: Cow<'a, str>,
    /// A dollar that is one.
    dollar: char,
}

impl<'a> Marked<'a> {
    /// `block_starts` says where blocks begin, in order: no formula goes from one into the next, and what
    /// a growing answer has settled decides nothing in what is still open.
    pub fn new(source: &'a str, block_starts: impl FnOnce() -> Vec<usize>) -> Self {
        let is_plain = !source.contains(['$', '\\']);
        let free = LETTERS.chars().find(|&letter| !source.contains(letter));
        let text = match free {
            Some(dollar) if !is_plain => Cow::Owned(marked(source, dollar, &block_starts())),
            _ => Cow::Borrowed(source),
        };
        Self { source, text, dollar: free.unwrap_or('$') }
    }

    /// For the parser.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A text of the parser as it was written.
    pub fn written<'t>(&'t self, text: &'t str, range: Range<usize>, how: Written) -> Cow<'t, str> {
        if !text.contains(['$', self.dollar]) {
            return Cow::Borrowed(text);
        }
        let marked = self.text.get(range.clone()).unwrap_or_default();
        let source = self.source.get(range).unwrap_or_default();
        match marked.find(text) {
            Some(at) => {
                let written = source.get(at..at + text.len()).unwrap_or(text);
                if how.is_code { Cow::Borrowed(written) } else { unescaped(written, text) }
            }
            None => Cow::Owned(text.replace(self.dollar, "$")),
        }
    }

    /// The same for code between backticks, in which line breaks have become spaces.
    pub fn written_code<'t>(&'t self, code: &'t str, range: Range<usize>) -> Cow<'t, str> {
        if !code.contains(['$', self.dollar]) {
            return Cow::Borrowed(code);
        }
        let marked = self.text.get(range.clone()).unwrap_or_default().replace('\n', " ");
        let source = self.source.get(range).unwrap_or_default().replace('\n', " ");
        match marked.find(code).and_then(|at| source.get(at..at + code.len())) {
            Some(source) => Cow::Owned(source.to_owned()),
            None => Cow::Owned(code.replace(self.dollar, "$")),
        }
    }

    /// An address as it was written.
    pub fn address<'t>(&self, url: &'t str) -> Cow<'t, str> {
        match url.contains(self.dollar) {
            true => Cow::Owned(url.replace(self.dollar, "$")),
            false => Cow::Borrowed(url),
        }
    }

    /// Whether the formula there stands in its line or on one of its own.
    pub fn maths_tag(&self, range: &Range<usize>) -> Tag {
        let source = self.source.get(range.clone()).unwrap_or_default();
        if source.starts_with("$$") || source.starts_with("\\[") {
            Tag::FormulaBlock
        } else {
            Tag::Formula
        }
    }
}

/// `\(` outside of formulas and code is an escaped bracket, which the parser saw as dollars: its backslash
/// goes, be it alone in its piece.
fn unescaped<'t>(written: &'t str, seen: &str) -> Cow<'t, str> {
    if !written.contains('\\') || seen.len() != written.len() {
        return Cow::Borrowed(written);
    }
    let kept = written.char_indices().filter(|&(at, c)| c != '\\' || seen.as_bytes()[at] != b'$');
    Cow::Owned(kept.map(|(_, c)| c).collect())
}

/// A delimiter that may begin or end a formula.
#[derive(Clone, Copy, PartialEq)]
enum Delimiter {
    Dollar,
    Dollars,
    Round,
    Square,
}

/// The text with the delimiters of formulas as `$` and `$$`, and all other dollars marked.
fn marked(source: &str, dollar: char, block_starts: &[usize]) -> String {
    let mut starts = block_starts.iter().peekable();
    let mut bytes = source.as_bytes().to_vec();
    let mut open: Option<(Delimiter, usize)> = None;
    let mut at = 0;
    while at < source.len() {
        while starts.next_if(|&&start| start <= at).is_some() {
            open = None;
        }
        let rest = &source[at..];
        let (delimiter, len, may_begin, may_end) = if rest.starts_with("\\\\") {
            // A line's end in a formula, an escaped backslash elsewhere.
            at += 2;
            continue;
        } else if rest.starts_with("\\(") || rest.starts_with("\\)") {
            (Delimiter::Round, 2, rest.starts_with("\\("), rest.starts_with("\\)"))
        } else if rest.starts_with("\\[") || rest.starts_with("\\]") {
            (Delimiter::Square, 2, rest.starts_with("\\["), rest.starts_with("\\]"))
        } else if let Some(escaped) = rest.strip_prefix('\\') {
            // Whatever is escaped is no delimiter.
            at += 1 + escaped.chars().next().map_or(0, char::len_utf8);
            continue;
        } else if rest.starts_with("$$") {
            (Delimiter::Dollars, 2, true, true)
        } else if rest.starts_with('$') {
            (Delimiter::Dollar, 1, dollar_begins(source, at), dollar_ends(source, at))
        } else {
            if is_blank_line(rest) {
                open = None;
            }
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let closes = open.filter(|&(opened, from)| {
            may_end && opened == delimiter && is_formula(&source[from..at], delimiter)
        });
        match closes {
            Some((_, from)) => {
                mark(&mut bytes, from - len, len, b'$');
                mark(&mut bytes, at, len, b'$');
                open = None;
            }
            None => {
                if matches!(delimiter, Delimiter::Dollar | Delimiter::Dollars) {
                    mark(&mut bytes, at, len, dollar as u8);
                }
                // The nearest beginning counts.
                if may_begin {
                    open = Some((delimiter, at + len));
                }
            }
        }
        at += len;
    }
    // One byte for another of ASCII.
    String::from_utf8(bytes).unwrap_or_else(|_| source.to_owned())
}

fn mark(bytes: &mut [u8], at: usize, len: usize, by: u8) {
    bytes[at..at + len].fill(by);
}

/// Behind a line break: nothing but spaces until the next one.
fn is_blank_line(rest: &str) -> bool {
    rest.strip_prefix('\n')
        .is_some_and(|rest| rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n'))
}

/// A formula's first dollar: not in a word, and close to what follows.
fn dollar_begins(source: &str, at: usize) -> bool {
    let before = source[..at].chars().next_back();
    let behind = source[at + 1..].chars().next();
    !before.is_some_and(|c| c.is_alphanumeric() || c == '$')
        && behind.is_some_and(|c| !c.is_whitespace() && c != '$')
}

/// A formula's last dollar: close to what is before it, and no word behind it, as in `$5-$10`.
fn dollar_ends(source: &str, at: usize) -> bool {
    let before = source[..at].chars().next_back();
    let behind = source[at + 1..].chars().next();
    before.is_some_and(|c| !c.is_whitespace())
        && !behind.is_some_and(|c| c.is_alphanumeric() || c == '$')
}

fn is_formula(tex: &str, delimiter: Delimiter) -> bool {
    let is_there = !tex.trim().is_empty() && tex.len() <= FORMULA_MAX_BYTES && !tex.contains('`');
    is_there && (delimiter != Delimiter::Dollar || !is_price(tex))
}

/// `5 or 10`, as it stands between two prices: a number with words behind it.
fn is_price(tex: &str) -> bool {
    let is_word = |word: &str| word.len() > 1 && word.chars().all(char::is_alphabetic);
    tex.starts_with(|c: char| c.is_ascii_digit())
        && !tex.contains('\\')
        && tex.split_whitespace().any(is_word)
}
