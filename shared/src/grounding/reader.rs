//! Which of the text that streams is a citation?
//!
//! `[1]`, `[1, 2]`, `[1][2]`, `[1-3]`, `【1】`, `[^1]`, `[Source 1]` become `[1]`, `[1][2]`, …; numbers that
//! no source has are removed with the blank before them. `(1)` is an enumeration and stays, as do code,
//! years and `[x]`. Only what may yet become a citation is held back, and how the text is cut into pieces
//! makes no difference.

use super::{Citation, CitedBy};

/// Longest mark, in characters.
const MARK_MAX: usize = 64;
/// Blanks that are held back before a mark.
const BLANKS_MAX: usize = 16;
const LABELS: [&str; 10] = [
    "source", "sources", "quelle", "quellen", "passage", "document", "dokument", "ref", "nr", "no",
];
const JOINS: [&str; 2] = ["and", "und"];

/// Text that is certain, and the citations in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cited {
    pub text: String,
    pub citations: Vec<Citation>,
}

/// Reads an answer as it comes.
#[derive(Clone, Debug)]
pub struct CitationReader {
    n_sources: u32,
    /// Blanks, and behind them what may become a mark.
    held: String,
    has_bracket: bool,
    /// Characters that were given so far.
    n_chars: u32,
    at_line_start: bool,
    /// A mark at a line's start was removed: so is the blank behind it.
    skips_blank: bool,
    code: Code,
}

impl CitationReader {
    /// Sources are numbered from 1 to `n_sources`.
    pub fn new(n_sources: u32) -> Self {
        Self {
            n_sources,
            held: String::new(),
            has_bracket: false,
            n_chars: 0,
            at_line_start: true,
            skips_blank: false,
            code: Code::default(),
        }
    }

    /// There are more sources now.
    pub fn set_sources(&mut self, n_sources: u32) {
        self.n_sources = n_sources;
    }

    pub fn push(&mut self, text: &str) -> Cited {
        let mut cited = Cited::default();
        for c in text.chars() {
            self.take(c, &mut cited);
        }
        cited
    }

    /// What is left when the text is over.
    pub fn finish(&mut self) -> Cited {
        let mut cited = Cited::default();
        self.has_bracket = false;
        for c in std::mem::take(&mut self.held).chars() {
            self.give(c, &mut cited);
        }
        cited
    }

    fn take(&mut self, c: char, cited: &mut Cited) {
        if self.has_bracket {
            self.held.push(c);
            return self.judge(cited);
        }
        if self.code.is_open_before(c) {
            self.release(cited);
            return self.give(c, cited);
        }
        match c {
            ' ' if std::mem::take(&mut self.skips_blank) => {}
            ' ' if self.held.len() < BLANKS_MAX => self.held.push(c),
            '[' | '【' => {
                self.held.push(c);
                self.has_bracket = true;
            }
            _ => {
                self.release(cited);
                self.give(c, cited);
            }
        }
    }

    /// What is held is text.
    fn release(&mut self, cited: &mut Cited) {
        for c in std::mem::take(&mut self.held).chars() {
            self.give(c, cited);
        }
    }

    fn judge(&mut self, cited: &mut Cited) {
        let mark = self.held.trim_start_matches(' ');
        let parsed = match mark.chars().count() {
            0..=MARK_MAX => parse(mark),
            _ => Parsed::No,
        };
        match parsed {
            Parsed::Begun => {}
            Parsed::Mark(ranges) => {
                let n_blanks = self.held.len() - mark.len();
                self.held.clear();
                self.has_bracket = false;
                self.cite(&ranges, n_blanks, cited);
            }
            Parsed::No => {
                // Its bracket is text; what stands behind it may hold another.
                let n_blanks = self.held.len() - mark.len();
                let held = std::mem::take(&mut self.held);
                self.has_bracket = false;
                let mut chars = held.chars();
                for c in chars.by_ref().take(n_blanks + 1) {
                    self.give(c, cited);
                }
                for c in chars {
                    self.take(c, cited);
                }
            }
        }
    }

    fn cite(&mut self, ranges: &[(u32, u32)], n_blanks: usize, cited: &mut Cited) {
        let known = (1..=self.n_sources)
            .filter(|n| ranges.iter().any(|(first, last)| (first..=last).contains(&n)));
        let known: Vec<u32> = known.collect();
        if known.is_empty() {
            if self.at_line_start {
                self.give_blanks(n_blanks, cited);
                self.skips_blank = true;
            }
            return;
        }
        self.give_blanks(n_blanks, cited);
        for n in known {
            cited.citations.push(Citation { n, at: self.n_chars, by: CitedBy::Model });
            for c in format!("[{n}]").chars() {
                self.give(c, cited);
            }
        }
    }

    fn give_blanks(&mut self, n: usize, cited: &mut Cited) {
        for _ in 0..n {
            self.give(' ', cited);
        }
    }

    fn give(&mut self, c: char, cited: &mut Cited) {
        self.skips_blank = false;
        self.at_line_start = c == '\n' || self.at_line_start && c == ' ';
        self.code.pass(c);
        self.n_chars += 1;
        cited.text.push(c);
    }
}

/// Whether a place of Markdown is code: a run of backticks opens it, as many close it, and code in a line
/// does not outlast its paragraph.
#[derive(Clone, Debug, Default)]
struct Code {
    /// Backticks that just came.
    n_ticks: usize,
    /// Backticks that opened it.
    opened: Option<usize>,
    /// The last character was a line break.
    broke: bool,
}

const FENCE: usize = 3;

impl Code {
    /// Whether it is open when `next` comes, which is none of its backticks.
    fn is_open_before(&mut self, next: char) -> bool {
        if next != '`' {
            self.settle();
        }
        self.opened.is_some()
    }

    fn settle(&mut self) {
        match (std::mem::take(&mut self.n_ticks), self.opened) {
            (0, _) => {}
            (n, None) => self.opened = Some(n),
            (n, Some(opened)) if n == opened || opened >= FENCE && n >= opened => {
                self.opened = None;
            }
            _ => {}
        }
    }

    fn pass(&mut self, c: char) {
        if c == '`' {
            self.n_ticks += 1;
        } else {
            self.settle();
        }
        if c == '\n' && self.broke && self.opened.is_some_and(|n| n < FENCE) {
            self.opened = None;
        }
        self.broke = c == '\n';
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Parsed {
    /// It may become a mark.
    Begun,
    /// From and to, both inclusive.
    Mark(Vec<(u32, u32)>),
    No,
}

/// Whether a text is a mark as a whole.
pub(super) fn is_mark(text: &str) -> bool {
    matches!(parse(text), Parsed::Mark(_))
}

/// `mark` begins with its bracket.
fn parse(mark: &str) -> Parsed {
    let mut chars = mark.chars().peekable();
    let closing = match chars.next() {
        Some('[') => ']',
        Some('【') => '】',
        _ => return Parsed::No,
    };
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    // A number is due; or, in a range, its end.
    let (mut is_due, mut ends_range) = (true, false);
    while let Some(c) = chars.next() {
        match c {
            c if c == closing => {
                let is_whole = !is_due && chars.next().is_none();
                return if is_whole { Parsed::Mark(ranges) } else { Parsed::No };
            }
            ' ' => {}
            '0'..='9' => {
                let mut digits = String::from(c);
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                // Years and other numbers of four digits are no sources.
                let Some(n) = digits.parse::<u32>().ok().filter(|_| digits.len() <= 3) else {
                    return Parsed::No;
                };
                match ranges.last_mut() {
                    Some(last) if ends_range && n >= last.0 => last.1 = n,
                    _ => ranges.push((n, n)),
                }
                (is_due, ends_range) = (false, false);
            }
            ',' | ';' | '&' if !is_due => is_due = true,
            '-' | '–' if !is_due => (is_due, ends_range) = (true, true),
            '^' | '#' if is_due => {}
            c if c.is_ascii_alphabetic() => {
                let mut word = c.to_ascii_lowercase().to_string();
                while let Some(letter) = chars.next_if(char::is_ascii_alphabetic) {
                    word.push(letter.to_ascii_lowercase());
                }
                let known: &[&str] = if is_due { &LABELS } else { &JOINS };
                if chars.peek().is_none() {
                    let may_grow =
                        known.iter().chain(&LABELS).any(|known| known.starts_with(&word));
                    return if may_grow { Parsed::Begun } else { Parsed::No };
                }
                chars.next_if(|c| matches!(c, '.' | ':') && is_due);
                if !known.contains(&word.as_str()) && !LABELS.contains(&word.as_str()) {
                    return Parsed::No;
                }
                is_due = true;
            }
            _ => return Parsed::No,
        }
    }
    Parsed::Begun
}
