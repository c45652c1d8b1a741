//! How is this table parted, and what stands in it? German ones by semicolons.

use super::{BlockKind, Builder, Extracted};

const SEPARATORS: [char; 4] = [';', ',', '\t', '|'];
const LINES_SNIFFED: usize = 50;

/// A table of a row a line, with the separator that its lines agree on; quoted as RFC 4180 has it.
pub fn csv(text: &str) -> Extracted {
    let text = text.trim_start_matches('\u{feff}');
    // Excel's own way to name the separator.
    let (named, text) = match text.split_once('\n') {
        Some((first, rest)) if first.to_ascii_lowercase().starts_with("sep=") => {
            (first.chars().nth(4), rest)
        }
        _ => (None, text),
    };
    let separator = named.unwrap_or_else(|| separator(text));
    let mut builder = Builder::default();
    builder.push(BlockKind::Table, &table_text(rows(text, separator)));
    builder.finish()
}

/// A table's text: a row a line, cells parted by ` | `; blank rows and the blank ends of rows are left
/// out, and line ends within cells are blanks.
pub fn table_text<R, C>(rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item = C>,
    C: AsRef<str>,
{
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        let mut n_blank = 0;
        let mut is_first = true;
        for cell in row {
            let mut words = cell.as_ref().split_whitespace();
            let first = words.next();
            if !std::mem::take(&mut is_first) {
                n_blank += 1;
            }
            if let Some(first) = first {
                line.push_str(&" | ".repeat(n_blank));
                n_blank = 0;
                line.push_str(first);
                for word in words {
                    line.push(' ');
                    line.push_str(word);
                }
            }
        }
        if !line.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
        }
    }
    text
}

/// The separator by which most of the first lines have equally many cells, and more than one.
fn separator(text: &str) -> char {
    let head: String = text.split_inclusive('\n').take(LINES_SNIFFED).collect();
    let score = |separator: char| {
        let counts: Vec<usize> = rows(&head, separator).iter().map(Vec::len).collect();
        let width = *counts.first().unwrap_or(&0);
        let n_alike = counts.iter().filter(|count| **count == width).count();
        if width < 2 { 0 } else { n_alike * 1000 / counts.len().max(1) * 100 + width.min(99) }
    };
    let best = SEPARATORS.into_iter().rev().max_by_key(|separator| score(*separator));
    best.filter(|separator| score(*separator) > 0).unwrap_or(',')
}

fn rows(text: &str, separator: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut cell = String::new();
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' if is_quoted => is_quoted = false,
            '"' if cell.trim().is_empty() => is_quoted = true,
            c if is_quoted => cell.push(c),
            '\r' => {}
            '\n' => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c if c == separator => row.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}
