//! What structure does a plain text have? Blank lines, underlined headings, bullets, page breaks.

use super::{BlockKind, Builder, Extracted};

/// A plain text: paragraphs at blank lines, headings where they are underlined, pages at form feeds.
pub fn plain(text: &str) -> Extracted {
    let mut builder = Builder::default();
    push_plain(&mut builder, text);
    builder.finish()
}

/// The same, behind what `builder` holds already.
pub fn push_plain(builder: &mut Builder, text: &str) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let has_pages = text.trim_end_matches('\u{c}').contains('\u{c}');
    let mut underlines: Vec<char> = Vec::new();
    for (page, text) in text.trim_end_matches('\u{c}').split('\u{c}').enumerate() {
        if has_pages {
            builder.page(u32::try_from(page + 1).unwrap_or(u32::MAX));
        }
        let mut lines: Vec<&str> = Vec::new();
        for line in text.split('\n') {
            if line.trim().is_empty() {
                flush(builder, &mut lines, &mut underlines);
            } else {
                lines.push(line);
            }
        }
        flush(builder, &mut lines, &mut underlines);
    }
}

/// Lines between two blank ones.
fn flush(builder: &mut Builder, lines: &mut Vec<&str>, underlines: &mut Vec<char>) {
    let taken = std::mem::take(lines);
    let mut rest = taken.as_slice();
    // An overline, as reStructuredText has it.
    if let [over, _, under, ..] = rest
        && underline(over).is_some()
        && underline(over) == underline(under)
    {
        rest = &rest[1..];
    }
    let mut from = 0;
    for at in 1..rest.len() {
        let Some(mark) = underline(rest[at]) else { continue };
        let heading = rest[at - 1].trim();
        let is_long = rest[at].trim().chars().count() * 2 >= heading.chars().count();
        if at - 1 < from || !is_long || underline(heading).is_some() {
            continue;
        }
        push(builder, &rest[from..at - 1]);
        let level = underlines.iter().position(|known| *known == mark).unwrap_or_else(|| {
            underlines.push(mark);
            underlines.len() - 1
        });
        builder.push(BlockKind::Heading { level: u8::try_from(level + 1).unwrap_or(9) }, heading);
        from = at + 1;
    }
    push(builder, &rest[from..]);
}

/// The mark of which this whole line is made.
fn underline(line: &str) -> Option<char> {
    let line = line.trim();
    let mark = line.chars().next().filter(|mark| "=-~*^#+_".contains(*mark))?;
    (line.len() >= 3 && line.chars().all(|c| c == mark)).then_some(mark)
}

/// A paragraph, or the items of a list.
fn push(builder: &mut Builder, lines: &[&str]) {
    let mut from = 0;
    let mut in_list = false;
    for at in 0..=lines.len() {
        let starts = at < lines.len() && is_item(lines[at]);
        if at == lines.len() || starts {
            if from < at {
                let kind = if in_list { BlockKind::ListItem } else { BlockKind::Paragraph };
                builder.push(kind, &lines[from..at].join("\n"));
            }
            from = at;
            in_list = starts;
        }
    }
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    if let Some(rest) = line.strip_prefix(['-', '*', '•', '–', '·', '◦', '▪']) {
        return rest.starts_with([' ', '\t']) && !rest.trim().is_empty();
    }
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    (1..=3).contains(&digits)
        && line[digits..].starts_with([')', '.'])
        && line[digits + 1..].starts_with([' ', '\t'])
}
