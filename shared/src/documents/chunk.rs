//! In which pieces is a document found? Of 200 to 500 tokens, along its structure.

use std::ops::Range;

use super::lang::{self, decided};
use super::sentence::sentences;
use super::{Block, BlockKind, Chunk, Extracted};

/// How long a passage may be, in tokens of the embedder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Shorter sections are joined with the next one, where it is of the same kind and fits.
    pub min_tokens: u32,
    /// No chunk has more, unless one char has.
    pub max_tokens: u32,
}

impl Default for ChunkLimits {
    fn default() -> Self {
        Self { min_tokens: 200, max_tokens: 500 }
    }
}

/// No usual text has longer tokens on average.
const CHARS_OF_TOKEN_MAX: usize = 16;

/// What is never cut: a block that fits, else a sentence, a row, a line or some words.
#[derive(Clone, Debug)]
struct Unit {
    bytes: Range<usize>,
    n_tokens: u32,
    /// Index into the paths of headings.
    path: usize,
    block: usize,
    is_heading: bool,
    /// The first row of the table that this row is from.
    header: Option<Range<usize>>,
}

/// Cuts a document into passages.
///
/// Each is a stretch of the text, in order, none overlapping, and together they hold all of it; the
/// same document gives the same passages. Headings stay with what they head, tables whole where they
/// fit.
pub fn chunk(
    extracted: &Extracted,
    count_tokens: &dyn Fn(&str) -> u32,
    limits: &ChunkLimits,
) -> Vec<Chunk> {
    let mut cutter = Cutter {
        text: &extracted.text,
        count_tokens,
        max: limits.max_tokens.max(1),
        min: limits.min_tokens.min(limits.max_tokens),
        paths: vec![Vec::new()],
    };
    let blocks = whole(extracted);
    let units = cutter.units(&blocks);
    let mut pieces: Vec<Vec<Unit>> = Vec::new();
    for run in cutter.runs(units, &blocks) {
        cutter.pack(run, &mut pieces);
    }
    finish(&cutter, &blocks, pieces)
}

/// A block in bytes, in order and apart from the others.
struct Part<'a> {
    kind: BlockKind,
    bytes: Range<usize>,
    page: Option<u32>,
    section: Option<&'a str>,
}

/// The document's blocks, with whatever stands between them: blocks from elsewhere may be wrong.
fn whole(extracted: &Extracted) -> Vec<Part<'_>> {
    let text = &extracted.text;
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut at = (0_u32, 0_usize);
    let mut covered = 0;
    let mut blocks: Vec<&Block> = extracted.blocks.iter().collect();
    blocks.sort_by_key(|block| block.chars.start);
    let mut to_byte = |n_chars: u32| {
        let n_more = n_chars.saturating_sub(at.0) as usize;
        let rest = &text[at.1..];
        let (n_walked, bytes) = match rest.char_indices().nth(n_more) {
            Some((bytes, _)) => (n_more, bytes),
            None => (rest.chars().count(), rest.len()),
        };
        at = (at.0 + n_walked as u32, at.1 + bytes);
        at.1
    };
    for block in blocks {
        let start = to_byte(block.chars.start);
        let end = to_byte(block.chars.end.max(block.chars.start));
        let bytes = start.max(covered)..end.max(covered);
        fill(&mut parts, text, covered..bytes.start);
        covered = bytes.end;
        if let Some(bytes) = trimmed(text, bytes) {
            let section = block.section.as_deref();
            parts.push(Part { kind: block.kind, bytes, page: block.page, section });
        }
    }
    fill(&mut parts, text, covered..text.len());
    parts
}

/// Text that no block names.
fn fill<'a>(parts: &mut Vec<Part<'a>>, text: &str, gap: Range<usize>) {
    if let Some(bytes) = trimmed(text, gap) {
        let (page, section) = parts.last().map_or((None, None), |last| (last.page, last.section));
        parts.push(Part { kind: BlockKind::Paragraph, bytes, page, section });
    }
}

fn trimmed(text: &str, bytes: Range<usize>) -> Option<Range<usize>> {
    let part = text.get(bytes.clone())?;
    let start = bytes.start + (part.len() - part.trim_start().len());
    let len = part.trim().len();
    (len > 0).then_some(start..start + len)
}

struct Cutter<'a> {
    text: &'a str,
    count_tokens: &'a dyn Fn(&str) -> u32,
    min: u32,
    max: u32,
    paths: Vec<Vec<String>>,
}

impl Cutter<'_> {
    fn count(&self, bytes: Range<usize>) -> u32 {
        (self.count_tokens)(&self.text[bytes])
    }

    /// A row is counted with the first row of its table before it.
    fn count_row(&self, header: Option<&Range<usize>>, bytes: Range<usize>) -> u32 {
        match header {
            None => self.count(bytes),
            Some(header) => (self.count_tokens)(&with_header(self.text, Some(header), bytes)),
        }
    }

    fn units(&mut self, blocks: &[Part<'_>]) -> Vec<Unit> {
        let mut units = Vec::new();
        let mut open: Vec<(u8, String)> = Vec::new();
        let mut section = None;
        for (index, block) in blocks.iter().enumerate() {
            if section != Some(block.section) {
                section = Some(block.section);
                open.clear();
                self.paths.push(Vec::new());
            }
            let is_heading = matches!(block.kind, BlockKind::Heading { .. });
            if let BlockKind::Heading { level } = block.kind {
                open.retain(|(above, _)| *above < level);
                open.push((level, self.text[block.bytes.clone()].replace('\n', " ")));
                self.paths.push(open.iter().map(|(_, heading)| heading.clone()).collect());
            }
            let path = self.paths.len() - 1;
            // What is far too long is not counted as a whole.
            let n_tokens = match block.bytes.len() / CHARS_OF_TOKEN_MAX {
                at_least if at_least > self.max as usize => u32::MAX,
                _ => self.count(block.bytes.clone()),
            };
            let unit = |bytes, n_tokens, header| Unit {
                bytes,
                n_tokens,
                path,
                block: index,
                is_heading,
                header,
            };
            if n_tokens <= self.max {
                units.push(unit(block.bytes.clone(), n_tokens, None));
                continue;
            }
            let parts: Vec<Range<usize>> = match block.kind {
                BlockKind::Table | BlockKind::Code => self.lines(block.bytes.clone()),
                _ => {
                    let within = &self.text[block.bytes.clone()];
                    let shift = |part: Range<usize>| {
                        block.bytes.start + part.start..block.bytes.start + part.end
                    };
                    sentences(within).into_iter().map(shift).collect()
                }
            };
            let header = match block.kind {
                BlockKind::Table => self.header(&parts),
                _ => None,
            };
            for (n, part) in parts.into_iter().enumerate() {
                let header = header.clone().filter(|_| n > 0);
                let n_tokens = self.count_row(header.as_ref(), part.clone());
                if n_tokens <= self.max {
                    // The header counts once a chunk, not once a row.
                    let alone = header.as_ref().map_or(n_tokens, |_| self.count(part.clone()));
                    units.push(unit(part, alone, header));
                } else {
                    for words in self.words(part) {
                        let n_tokens = self.count(words.clone());
                        units.push(unit(words, n_tokens, None));
                    }
                }
            }
        }
        units
    }

    fn lines(&self, bytes: Range<usize>) -> Vec<Range<usize>> {
        let mut at = bytes.start;
        let mut lines = Vec::new();
        for line in self.text[bytes].split_inclusive('\n') {
            // The indentation of listings stays.
            let len = line.trim_end().len();
            if len > 0 {
                lines.push(at..at + len);
            }
            at += line.len();
        }
        lines
    }

    /// The first row, if it names columns and leaves room for others.
    fn header(&self, rows: &[Range<usize>]) -> Option<Range<usize>> {
        let first = rows.first()?;
        let mut cells = self.text[first.clone()].split(" | ");
        let is_number = |cell: &str| {
            let n_digits = cell.chars().filter(char::is_ascii_digit).count();
            n_digits * 2 > cell.chars().count()
        };
        let names_columns = !cells.any(is_number);
        (names_columns && self.count(first.clone()) <= self.max / 4).then(|| first.clone())
    }

    /// Parts of at most `max` tokens, about as long as each other, of what has no better place to be cut.
    fn words(&self, bytes: Range<usize>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let n_tokens = match bytes.len() / CHARS_OF_TOKEN_MAX {
            at_least if at_least > self.max as usize => self.max,
            _ => self.count(bytes.clone()).max(1),
        };
        let goal = n_tokens.div_ceil(n_tokens.div_ceil(self.max));
        let mut rest = bytes;
        while let Some(part) = trimmed(self.text, rest.clone()) {
            let end = self.longest(part.clone(), goal);
            found.push(trimmed(self.text, part.start..end).unwrap_or(part.start..end));
            rest = end..part.end;
        }
        found
    }

    /// Where the longest beginning of `bytes` ends that has no more tokens, at a blank if one is near.
    fn longest(&self, bytes: Range<usize>, n_tokens: u32) -> usize {
        let part = &self.text[bytes.clone()];
        let end_of = |n_chars: usize| {
            part.char_indices().nth(n_chars).map_or(bytes.end, |(at, _)| bytes.start + at)
        };
        // More chars than so many tokens have; then as many as their share of tokens allows.
        let mut n_chars = (n_tokens as usize * CHARS_OF_TOKEN_MAX).max(1);
        let mut end = end_of(n_chars);
        loop {
            let n_counted = self.count(bytes.start..end);
            if n_counted <= n_tokens || n_chars <= 1 {
                break;
            }
            n_chars = n_chars.min(part[..end - bytes.start].chars().count());
            let share = n_chars * n_tokens as usize / n_counted as usize;
            n_chars = share.clamp(1, n_chars.max(2) - 1);
            end = end_of(n_chars);
        }
        if end == bytes.end {
            return end;
        }
        let fitting = &self.text[bytes.start..end];
        match fitting.rfind(char::is_whitespace) {
            Some(blank) if blank * 2 > fitting.len() => bytes.start + blank,
            _ => end,
        }
    }

    /// Stretches that are cut for themselves: sections under a heading, short ones joined.
    fn runs(&self, units: Vec<Unit>, blocks: &[Part<'_>]) -> Vec<Vec<Unit>> {
        let mut sections: Vec<Vec<Unit>> = Vec::new();
        for unit in units {
            let starts = match sections.last().and_then(|section| section.last()) {
                None => true,
                Some(last) => {
                    let is_elsewhere = blocks[last.block].section != blocks[unit.block].section;
                    // Headings in a row head the same text.
                    is_elsewhere || (unit.is_heading && !last.is_heading)
                }
            };
            match sections.last_mut() {
                Some(section) if !starts => section.push(unit),
                _ => sections.push(vec![unit]),
            }
        }
        let mut runs: Vec<Vec<Unit>> = Vec::new();
        let total =
            |run: &[Unit]| run.iter().fold(0_u32, |sum, unit| sum.saturating_add(unit.n_tokens));
        for section in sections {
            let joins = runs.last().is_some_and(|run| {
                let (Some(first), Some(next)) = (run.first(), section.first()) else {
                    return false;
                };
                let is_same_part = blocks[first.block].section == blocks[next.block].section;
                let goes_up = depth(&blocks[next.block]) < depth(&blocks[first.block]);
                let n_tokens = total(run);
                let fits = n_tokens.saturating_add(total(&section)) <= self.max;
                is_same_part && !goes_up && n_tokens < self.min && fits
            });
            match runs.last_mut() {
                Some(run) if joins => run.extend(section),
                _ => runs.push(section),
            }
        }
        runs
    }

    /// Cuts a run into chunks of about the same size.
    fn pack(&self, run: Vec<Unit>, pieces: &mut Vec<Vec<Unit>>) {
        let total = run.iter().map(|unit| u64::from(unit.n_tokens)).sum::<u64>();
        let usual = u64::from((self.min + self.max) / 2).max(1);
        let n_pieces = if total <= u64::from(self.max) { 1 } else { total.div_ceil(usual) };
        let goal = total.div_ceil(n_pieces.max(1));
        let mut rest = std::collections::VecDeque::from(run);
        while !rest.is_empty() {
            let mut piece: Vec<Unit> = Vec::new();
            let mut n_tokens = 0_u64;
            while let Some(next) = rest.front() {
                let with_next = n_tokens + u64::from(next.n_tokens);
                // Ends where it is nearest to the goal.
                let is_past = n_pieces > 1 && (with_next + n_tokens) / 2 >= goal;
                if !piece.is_empty() && (with_next > u64::from(self.max) || is_past) {
                    break;
                }
                n_tokens = with_next;
                piece.extend(rest.pop_front());
            }
            // Tokens do not quite add up, and a header comes on top.
            while piece.len() > 1 && self.count_piece(&piece) > self.max {
                if let Some(unit) = piece.pop() {
                    rest.push_front(unit);
                }
            }
            // A heading goes with what it heads.
            while piece.len() > 1
                && !rest.is_empty()
                && piece.last().is_some_and(|unit| unit.is_heading)
                && piece.iter().any(|unit| !unit.is_heading)
            {
                if let Some(unit) = piece.pop() {
                    rest.push_front(unit);
                }
            }
            pieces.push(piece);
        }
    }

    fn count_piece(&self, piece: &[Unit]) -> u32 {
        match (piece.first(), piece.last()) {
            (Some(first), Some(last)) => {
                self.count_row(first.header.as_ref(), first.bytes.start..last.bytes.end)
            }
            _ => 0,
        }
    }
}

fn depth(part: &Part<'_>) -> u8 {
    match part.kind {
        BlockKind::Heading { level } => level,
        _ => u8::MAX,
    }
}

fn with_header(text: &str, header: Option<&Range<usize>>, bytes: Range<usize>) -> String {
    match header {
        Some(header) => format!("{}\n{}", &text[header.clone()], &text[bytes]),
        None => text[bytes].to_owned(),
    }
}

fn finish(cutter: &Cutter<'_>, blocks: &[Part<'_>], pieces: Vec<Vec<Unit>>) -> Vec<Chunk> {
    let text = cutter.text;
    let usual = lang::detect(text);
    let mut chunks = Vec::with_capacity(pieces.len());
    let mut at = (0_usize, 0_u32);
    let mut to_char = |byte: usize| {
        at = (byte, at.1 + text[at.0..byte].chars().count() as u32);
        at.1
    };
    for piece in pieces {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else { continue };
        let bytes = first.bytes.start..last.bytes.end;
        let content = with_header(text, first.header.as_ref(), bytes.clone());
        let block = &blocks[first.block];
        chunks.push(Chunk {
            ordinal: u32::try_from(chunks.len()).unwrap_or(u32::MAX),
            heading_path: path(cutter, &piece),
            page: block.page,
            section: block.section.map(str::to_owned),
            chars: to_char(bytes.start)..to_char(bytes.end),
            n_tokens: (cutter.count_tokens)(&content),
            lang: decided(&content).unwrap_or(usual),
            text: content,
        });
    }
    chunks
}

/// The headings that all of a piece stands under.
fn path(cutter: &Cutter<'_>, piece: &[Unit]) -> Vec<String> {
    let mut common: Option<Vec<String>> = None;
    let has_content = piece.iter().any(|unit| !unit.is_heading);
    for unit in piece.iter().filter(|unit| !has_content || !unit.is_heading) {
        let path = &cutter.paths[unit.path];
        common = Some(match common {
            None => path.clone(),
            Some(common) => {
                let n = common.iter().zip(path).take_while(|(a, b)| a == b).count();
                common[..n].to_vec()
            }
        });
    }
    common.unwrap_or_default()
}
