//! How do an extractor's findings become one text with exact offsets?

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::{Block, BlockKind, ExtractWarning, Extracted};

/// Longest heading; what is longer is a paragraph that looks like one.
const HEADING_CHARS_MAX: usize = 300;

/// Collects blocks in reading order.
#[derive(Debug)]
pub struct Builder {
    extracted: Extracted,
    n_chars: u32,
    n_chars_max: u32,
    is_over: bool,
    page: Option<u32>,
    section: Option<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new(u32::MAX)
    }
}

impl Builder {
    /// A text of at most `n_chars_max` chars; what comes behind is dropped, and [`Self::is_over`] tells.
    pub fn new(n_chars_max: u32) -> Self {
        let extracted = Extracted::default();
        Self { extracted, n_chars: 0, n_chars_max, is_over: false, page: None, section: None }
    }

    /// The page of what follows, from 1.
    pub fn page(&mut self, page: u32) {
        self.page = Some(page);
        self.extracted.n_pages = self.extracted.n_pages.max(Some(page));
    }

    pub fn n_pages(&mut self, n_pages: u32) {
        self.extracted.n_pages = Some(n_pages);
    }

    /// The section of what follows.
    pub fn section(&mut self, section: Option<&str>) {
        self.section = section.map(clean_line).filter(|section| !section.is_empty());
    }

    /// The first title that is said is kept.
    pub fn title(&mut self, title: &str) {
        let title = clean_line(title);
        if self.extracted.title.is_none() && !title.is_empty() {
            self.extracted.title = Some(title.chars().take(HEADING_CHARS_MAX).collect());
        }
    }

    pub fn warn(&mut self, warning: ExtractWarning) {
        if !self.extracted.warnings.contains(&warning) {
            self.extracted.warnings.push(warning);
        }
    }

    /// Whether something had to be dropped.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    pub fn is_empty(&self) -> bool {
        self.extracted.blocks.is_empty()
    }

    pub fn n_chars(&self) -> u32 {
        self.n_chars
    }

    /// `text`, cleaned, as the next block; blank ones are none.
    pub fn push(&mut self, kind: BlockKind, text: &str) {
        let is_verbatim = matches!(kind, BlockKind::Code | BlockKind::Table);
        let text = match kind {
            BlockKind::Heading { .. } => clean_line(text),
            _ => clean(text, is_verbatim),
        };
        if text.is_empty() {
            return;
        }
        let n_chars = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let kind = match kind {
            BlockKind::Heading { .. } if n_chars as usize > HEADING_CHARS_MAX => {
                BlockKind::Paragraph
            }
            BlockKind::Heading { level } => BlockKind::Heading { level: level.clamp(1, 9) },
            other => other,
        };
        let before = self.extracted.blocks.last().map(|block| block.kind);
        let gap = match (before, kind) {
            (None, _) => "",
            (Some(BlockKind::ListItem), BlockKind::ListItem) => "\n",
            _ => "\n\n",
        };
        let start = self.n_chars.saturating_add(gap.len() as u32);
        let end = start.saturating_add(n_chars);
        if self.is_over || end > self.n_chars_max || end == u32::MAX {
            self.is_over = true;
            return;
        }
        self.extracted.text.push_str(gap);
        self.extracted.text.push_str(&text);
        self.n_chars = end;
        let section = self.section.clone();
        self.extracted.blocks.push(Block { kind, chars: start..end, page: self.page, section });
    }

    /// Another document inside this one, such as an attachment, under the section that holds now.
    pub fn append(&mut self, part: Extracted) {
        let mut chars = part.text.chars();
        let mut at = 0;
        for block in part.blocks {
            let n_skipped = block.chars.start.saturating_sub(at) as usize;
            let text: String = chars.by_ref().skip(n_skipped).take(block.chars.len()).collect();
            self.push(block.kind, &text);
            at = block.chars.end;
        }
        for warning in part.warnings {
            self.warn(warning);
        }
    }

    pub fn finish(self) -> Extracted {
        self.extracted
    }
}

/// One line of it.
fn clean_line(text: &str) -> String {
    clean(text, false).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Composed, without what cannot be seen, ligatures as their letters; blanks at the ends of lines are
/// cut, and runs of them unless `is_verbatim`.
fn clean(text: &str, is_verbatim: bool) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{b}' | '\u{c}' => cleaned.push('\n'),
            '\n' => cleaned.push('\n'),
            '\t' if is_verbatim => cleaned.push('\t'),
            // Soft hyphens, marks of direction and width, and what no font shows.
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {}
            '\u{fb00}' => cleaned.push_str("ff"),
            '\u{fb01}' => cleaned.push_str("fi"),
            '\u{fb02}' => cleaned.push_str("fl"),
            '\u{fb03}' => cleaned.push_str("ffi"),
            '\u{fb04}' => cleaned.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => cleaned.push_str("st"),
            c if c.is_control() && c != '\t' => {}
            c if c.is_whitespace() && !is_verbatim => {
                if !cleaned.ends_with(' ') {
                    cleaned.push(' ');
                }
            }
            c if c.is_whitespace() => cleaned.push(' '),
            c => cleaned.push(c),
        }
    }
    if !is_nfc(&cleaned) {
        cleaned = cleaned.nfc().collect();
    }
    let mut text = String::with_capacity(cleaned.len());
    let mut n_blank = 0;
    for line in cleaned.split('\n').map(|line| cut(line, is_verbatim)) {
        if line.is_empty() {
            n_blank += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str(if n_blank > 0 { "\n\n" } else { "\n" });
        }
        n_blank = 0;
        text.push_str(line);
    }
    text
}

fn cut(line: &str, is_verbatim: bool) -> &str {
    if is_verbatim { line.trim_end() } else { line.trim() }
}
