//! Which lines make a paragraph, a heading, a list, a table? By their sizes, distances and marks.

use std::collections::{BTreeMap, HashMap, HashSet};

use portico_shared::documents::{BlockKind, Builder, table_text};

use super::lines::Line;

/// So many lines at a page's top and bottom may be its running head or foot.
const EDGE_LINES: usize = 2;
/// The same line at the same place on so many pages is one.
const RUNNING_PAGES: usize = 3;
/// Larger by this than the text: a heading.
const HEADING_LARGER: f32 = 1.12;
const HEADING_CHARS_MAX: usize = 200;
const HEADING_LEVELS: usize = 5;

/// Puts the pages' lines as blocks into `builder`.
pub(super) fn push(builder: &mut Builder, mut pages: BTreeMap<u32, Vec<Line>>) {
    remove_running(&mut pages);
    let usual = Usual::of(&pages);
    let mut writer = Writer { builder, usual, open: None };
    for (page, lines) in pages {
        let mut at = 0;
        while at < lines.len() {
            let n_rows = table_rows(&lines[at..]);
            if n_rows > 1 {
                writer.close();
                writer.builder.page(page);
                let cells = |line: &Line| -> Vec<String> {
                    line.cells.iter().map(|cell| without_leaders(&cell.text)).collect()
                };
                let rows: Vec<Vec<String>> = lines[at..at + n_rows].iter().map(cells).collect();
                writer.builder.push(BlockKind::Table, &table_text(rows));
                at += n_rows;
            } else {
                writer.line(page, &lines[at]);
                at += 1;
            }
        }
    }
    writer.close();
}

/// Lines from the first on that have several cells each.
fn table_rows(lines: &[Line]) -> usize {
    let is_row = |line: &&Line| line.cells.len() > 1 && !is_item(&line.text());
    lines.iter().take_while(is_row).count()
}

/// A table of contents leads the eye by dots.
fn without_leaders(text: &str) -> String {
    let is_dots = |word: &&str| word.bytes().all(|byte| byte == b'.');
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut kept: Vec<&str> = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let n_dots = words[at..].iter().take_while(|word| is_dots(word)).count();
        let is_leader = n_dots > 2 || (n_dots == 1 && words[at].len() > 2);
        if n_dots == 0 || !is_leader {
            kept.push(words[at].trim_end_matches("...."));
        }
        at += if is_leader { n_dots } else { 1 };
    }
    kept.join(" ")
}

/// Heads and feet that stand on every page: the same words but for numbers, at the same height.
fn remove_running(pages: &mut BTreeMap<u32, Vec<Line>>) {
    // One cell of it is enough: the name of the chapter beside that of the section.
    type Mark = (String, i32);
    let marks = |line: &Line| -> Vec<Mark> {
        let mark = |text: &str| {
            let numbers = text.chars().map(|c| if c.is_ascii_digit() { '#' } else { c });
            let mut text = numbers.collect::<String>().trim().to_lowercase();
            while text.contains("##") {
                text = text.replace("##", "#");
            }
            (text, (line.y / 3.0).round() as i32)
        };
        line.cells.iter().map(|cell| mark(&cell.text)).chain([mark(&line.text())]).collect()
    };
    let edges = |lines: &[Line]| -> Vec<usize> {
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by(|a, b| lines[*b].y.total_cmp(&lines[*a].y));
        let n = order.len();
        let is_edge = |place: &usize| *place < EDGE_LINES || *place + EDGE_LINES >= n;
        (0..n).filter(is_edge).map(|place| order[place]).collect()
    };
    let mut seen: HashMap<Mark, usize> = HashMap::new();
    for lines in pages.values() {
        let seen_here = edges(lines).into_iter().flat_map(|at| marks(&lines[at]));
        for mark in seen_here.collect::<HashSet<Mark>>() {
            *seen.entry(mark).or_default() += 1;
        }
    }
    for lines in pages.values_mut() {
        let running: HashSet<usize> = edges(lines)
            .into_iter()
            .filter(|at| {
                let mut marks = marks(&lines[*at]).into_iter();
                marks.any(|mark| seen.get(&mark).is_some_and(|n| *n >= RUNNING_PAGES))
            })
            .collect();
        let mut at = 0;
        lines.retain(|_| {
            at += 1;
            !running.contains(&(at - 1))
        });
    }
}

/// What the text of a document looks like.
struct Usual {
    size: f32,
    /// From one baseline to the next, in sizes.
    leading: f32,
    /// Sizes of headings in half points, the largest first.
    heading_sizes: Vec<i32>,
    bold_is_rare: bool,
}

fn half_points(size: f32) -> i32 {
    (size * 2.0).round() as i32
}

impl Usual {
    fn of(pages: &BTreeMap<u32, Vec<Line>>) -> Self {
        let mut n_chars: BTreeMap<i32, usize> = BTreeMap::new();
        let mut leadings: BTreeMap<i32, usize> = BTreeMap::new();
        let (mut n_bold, mut n_all) = (0, 0);
        for lines in pages.values() {
            for line in lines {
                let n: usize = line.cells.iter().map(|cell| cell.text.chars().count()).sum();
                *n_chars.entry(half_points(line.size)).or_default() += n;
                n_all += n;
                n_bold += if line.is_bold { n } else { 0 };
            }
            for pair in lines.windows(2) {
                let step = (pair[0].y - pair[1].y) / pair[1].size;
                if (0.8..2.5).contains(&step) {
                    *leadings.entry((step * 20.0).round() as i32).or_default() += 1;
                }
            }
        }
        let most = |counts: &BTreeMap<i32, usize>| {
            counts.iter().max_by_key(|(_, n)| **n).map(|(value, _)| *value)
        };
        let size = most(&n_chars).map_or(10.0, |half| half as f32 / 2.0);
        let mut heading_sizes: Vec<i32> = n_chars
            .keys()
            .copied()
            .filter(|half| *half as f32 / 2.0 > size * HEADING_LARGER)
            .collect();
        heading_sizes.reverse();
        Self {
            size,
            leading: most(&leadings).map_or(1.2, |step| step as f32 / 20.0),
            heading_sizes,
            bold_is_rare: n_bold * 5 < n_all * 2,
        }
    }

    /// The level of a line that looks like a heading.
    fn heading(&self, line: &Line, text: &str) -> Option<u8> {
        let n_letters = text.chars().filter(|c| c.is_alphabetic()).count();
        let n_chars = text.chars().count();
        if n_letters < 2 || n_chars > HEADING_CHARS_MAX || line.is_fixed {
            return None;
        }
        let larger = self.heading_sizes.iter().position(|half| *half == half_points(line.size));
        if let Some(place) = larger {
            return Some(place.min(HEADING_LEVELS - 1) as u8 + 1);
        }
        let is_bold = line.is_bold && self.bold_is_rare && line.size > self.size * 0.95;
        let goes_on = text.ends_with(['.', ',', ';', ':', '-']);
        (is_bold && n_chars < 100 && !goes_on)
            .then(|| self.heading_sizes.len().min(HEADING_LEVELS) as u8 + 1)
    }
}

/// A block that may go on.
struct Open {
    kind: BlockKind,
    text: String,
    page: u32,
    last: Line,
    last_page: u32,
    /// Where its lines begin and end at the most.
    left: f32,
    right: f32,
    n_lines: usize,
}

struct Writer<'b> {
    builder: &'b mut Builder,
    usual: Usual,
    open: Option<Open>,
}

impl Writer<'_> {
    fn line(&mut self, page: u32, line: &Line) {
        let text = without_leaders(&line.text());
        if text.is_empty() {
            return;
        }
        // A name or an address in the midst of a paragraph is no listing.
        let is_within = self.open.as_ref().is_some_and(|open| open.has_within(page, line));
        let kind = match self.usual.heading(line, &text) {
            Some(level) => BlockKind::Heading { level },
            None if is_item(&text) => BlockKind::ListItem,
            None if line.is_fixed && !is_within => BlockKind::Code,
            None => BlockKind::Paragraph,
        };
        if let Some(open) = &mut self.open
            && open.goes_on(kind, page, line, &text, &self.usual)
        {
            open.add(page, line, &text);
            return;
        }
        self.close();
        self.open = Some(Open {
            kind,
            text,
            page,
            last: line.clone(),
            last_page: page,
            left: line.x0(),
            right: line.x1(),
            n_lines: 1,
        });
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.builder.page(open.page);
            self.builder.push(open.kind, &open.text);
            if let BlockKind::Heading { level: 1 } = open.kind {
                self.builder.title(&open.text);
            }
        }
    }
}

impl Open {
    /// Whether a line follows on a full line of a paragraph.
    fn has_within(&self, page: u32, line: &Line) -> bool {
        let step = self.last.y - line.y;
        self.kind == BlockKind::Paragraph
            && page == self.last_page
            && !self.last.is_fixed
            && (0.0..1.6 * line.size).contains(&step)
            && self.last.x1() > self.right - 6.0 * line.size
            && !self.text.ends_with([':', '.'])
    }

    fn goes_on(&self, kind: BlockKind, page: u32, line: &Line, text: &str, usual: &Usual) -> bool {
        let is_same_kind = match (self.kind, kind) {
            (BlockKind::ListItem, BlockKind::Paragraph) => true,
            (_, BlockKind::ListItem) => false,
            (own, other) => own == other,
        };
        let is_same_size = (self.last.size - line.size).abs() < 0.12 * self.last.size;
        if !is_same_kind || !is_same_size {
            return false;
        }
        let size = line.size;
        let step = self.last.y - line.y;
        let is_below = page == self.last_page && step > 0.0;
        if !is_below {
            // In another column or on another page: only a sentence that is not at its end goes on.
            let is_open = !self.text.trim_end().ends_with(['.', '!', '?', ':']);
            let is_lower = text.starts_with(|c: char| c.is_lowercase());
            return kind == BlockKind::Paragraph && is_open && is_lower;
        }
        if step > (usual.leading * 1.35).max(1.0) * size {
            return false;
        }
        match self.kind {
            BlockKind::Code => true,
            BlockKind::Heading { .. } => self.n_lines < 4,
            BlockKind::ListItem => line.x0() > self.left - 0.3 * size,
            _ => {
                let is_indented = line.x0() > self.last.x0() + 0.8 * size && self.n_lines > 1;
                let was_short = self.last.x1() < self.right.max(line.x1()) - 4.0 * size;
                let was_end = self.text.ends_with(['.', '!', '?', ':']);
                !(is_indented || was_short && was_end)
            }
        }
    }

    fn add(&mut self, page: u32, line: &Line, text: &str) {
        match self.kind {
            BlockKind::Code => {
                self.text.push('\n');
                self.text.push_str(text);
            }
            _ => join(&mut self.text, text),
        }
        self.last = line.clone();
        self.last_page = page;
        self.left = self.left.min(line.x0());
        self.right = self.right.max(line.x1());
        self.n_lines += 1;
    }
}

/// The next line's text behind this one's: words that were divided are whole again.
fn join(text: &mut String, next: &str) {
    if let Some(stem) = text.strip_suffix('\u{ad}') {
        text.truncate(stem.len());
        text.push_str(next);
        return;
    }
    let stem = text.strip_suffix(['-', '\u{2010}']);
    let before = stem.and_then(|stem| stem.chars().next_back());
    let first = next.chars().next();
    match (stem.map(str::len), before, first) {
        (Some(n_bytes), Some(before), Some(first))
            if before.is_lowercase() && first.is_lowercase() =>
        {
            let word = next.split_whitespace().next().unwrap_or_default();
            // `Haus- und Hof`: the hyphen stands for a word that is left out.
            if ["und", "oder", "bzw.", "sowie", "and", "or", "noch", "als", "bis", "to"]
                .contains(&word)
            {
                text.push(' ');
            } else {
                text.truncate(n_bytes);
            }
        }
        // `Nord-` and `Süd`, `E-` and `Mail`: the hyphen is the word's own.
        (Some(_), Some(before), Some(first))
            if before.is_alphanumeric() && first.is_alphanumeric() => {}
        // Chinese and Japanese have no blanks.
        _ if text.ends_with(is_wide) && next.starts_with(is_wide) => {}
        _ => text.push(' '),
    }
    text.push_str(next);
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

/// Whether a line begins with a bullet or an item's number.
fn is_item(text: &str) -> bool {
    let text = text.trim_start();
    if let Some(rest) =
        text.strip_prefix(['•', '▪', '◦', '●', '■', '–', '·', '∙', '‣', '\u{f0b7}', '○', '*'])
    {
        return rest.starts_with(' ');
    }
    let (mark, rest) = text.split_once(' ').unwrap_or((text, ""));
    let is_digits = |number: &str| {
        (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_letter =
        |letter: &str| letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_lowercase());
    let has_mark = match (mark.strip_suffix(')'), mark.strip_suffix('.')) {
        (Some(number), _) => {
            let number = number.trim_start_matches('(');
            is_digits(number) || is_letter(number)
        }
        // Letters with a full stop are abbreviations: `z. B.`
        (None, Some(number)) => is_digits(number),
        (None, None) => mark == "-",
    };
    has_mark && !rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divided_words_are_joined_and_hyphens_of_their_own_stay() {
        let check = |text: &str, next: &str, expected: &str| {
            let mut text = text.to_owned();
            join(&mut text, next);
            assert_eq!(text, expected);
        };
        check("die Mitglieder-", "versammlung", "die Mitgliederversammlung");
        check("Haus-", "und Hof", "Haus- und Hof");
        check("die Nord-", "Süd-Achse", "die Nord-Süd-Achse");
        check("weich\u{ad}", "er", "weicher");
        check("Ende.", "Neu", "Ende. Neu");
    }

    #[test]
    fn items_are_told_by_their_marks() {
        for item in ["• a", "1. eins", "a) erstens", "(2) zwei", "- Strich"] {
            assert!(is_item(item), "{item}");
        }
        for other in ["1990. Das", "z. B. dies", "Wort", "-", "3.5 mm"] {
            assert!(!is_item(other), "{other}");
        }
    }
}
