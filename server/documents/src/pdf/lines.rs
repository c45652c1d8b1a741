//! Which glyphs make a line, and in which order are lines read? In that of the drawing, if it goes down
//! the page; else from top to bottom.

use super::page::Glyph;

/// In sizes of the font: more between glyphs is a blank, much more another cell or column.
const BLANK: f32 = 0.17;
const CELL: f32 = 1.3;
/// Baselines this near are the same.
const SAME_LINE: f32 = 0.35;

/// A stretch of a line without a wide gap.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub text: String,
    pub x0: f32,
    pub x1: f32,
}

#[derive(Clone, Debug)]
pub(super) struct Line {
    pub cells: Vec<Cell>,
    pub y: f32,
    pub size: f32,
    pub is_bold: bool,
    pub is_fixed: bool,
}

impl Line {
    pub(super) fn x0(&self) -> f32 {
        self.cells.first().map_or(0.0, |cell| cell.x0)
    }

    pub(super) fn x1(&self) -> f32 {
        self.cells.last().map_or(0.0, |cell| cell.x1)
    }

    pub(super) fn text(&self) -> String {
        let cells: Vec<&str> = self.cells.iter().map(|cell| cell.text.trim()).collect();
        cells.join(" ").trim().to_owned()
    }
}

/// A cell that is being read.
struct Segment {
    cell: Cell,
    y: f32,
    size: f32,
    n_bold: usize,
    n_fixed: usize,
    n_chars: usize,
    last: (f32, String),
}

pub(super) fn lines(glyphs: Vec<Glyph>) -> Vec<Line> {
    let segments = segments(glyphs);
    let in_order = joined(&segments);
    let n_up = in_order.windows(2).filter(|pair| is_upwards(&pair[0], &pair[1])).count();
    if n_up <= 3 || n_up * 6 <= in_order.len() {
        return in_order;
    }
    let mut sorted: Vec<&Segment> = segments.iter().collect();
    sorted.sort_by(|a, b| b.y.total_cmp(&a.y));
    // Baselines that differ by less than a line's share are one; within it, from left to right.
    let mut rows: Vec<Vec<&Segment>> = Vec::new();
    for segment in sorted {
        match rows.last_mut() {
            Some(row) if (row[0].y - segment.y).abs() < SAME_LINE * segment.size => {
                row.push(segment);
            }
            _ => rows.push(vec![segment]),
        }
    }
    let mut lines = Vec::new();
    for mut row in rows {
        row.sort_by(|a, b| a.cell.x0.total_cmp(&b.cell.x0));
        lines.extend(line_of(&row));
    }
    lines
}

/// Whether the next line stands above this one and over or under it: not in another column.
fn is_upwards(line: &Line, next: &Line) -> bool {
    next.y > line.y + line.size && next.x0() < line.x1() && next.x1() > line.x0()
}

fn segments(glyphs: Vec<Glyph>) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for glyph in glyphs {
        let n_chars = glyph.text.chars().count();
        let marks = |is: bool| if is { n_chars } else { 0 };
        if let Some(open) = segments.last_mut() {
            let size = open.size.max(glyph.size);
            let gap = glyph.x0 - open.cell.x1;
            let is_level = (glyph.y - open.y).abs() < SAME_LINE * size
                // Raised and lowered signs follow closely.
                || ((glyph.y - open.y).abs() < 0.6 * size && gap.abs() < 0.3 * size);
            // Printed twice, a little beside itself, to look bold.
            let is_again = open.last.1 == glyph.text && (glyph.x0 - open.last.0).abs() < 0.1 * size;
            if is_level && is_again {
                open.n_bold = open.n_chars;
                continue;
            }
            if is_level && gap > -0.6 * size && gap < CELL * size {
                if gap > BLANK * size && !open.cell.text.ends_with(' ') {
                    open.cell.text.push(' ');
                }
                open.last = (glyph.x0, glyph.text.clone());
                open.cell.text.push_str(&glyph.text);
                // Blanks at the end reach nowhere.
                if !glyph.text.trim().is_empty() {
                    open.cell.x1 = open.cell.x1.max(glyph.x1);
                    open.size = size;
                } else {
                    open.cell.x1 = open.cell.x1.max(glyph.x0 + 0.5 * (glyph.x1 - glyph.x0));
                }
                open.n_chars += n_chars;
                open.n_bold += marks(glyph.is_bold);
                open.n_fixed += marks(glyph.is_fixed);
                continue;
            }
        }
        if glyph.text.trim().is_empty() {
            continue;
        }
        segments.push(Segment {
            y: glyph.y,
            size: glyph.size,
            n_bold: marks(glyph.is_bold),
            n_fixed: marks(glyph.is_fixed),
            n_chars,
            last: (glyph.x0, glyph.text.clone()),
            cell: Cell { text: glyph.text, x0: glyph.x0, x1: glyph.x1 },
        });
    }
    segments
}

/// Segments that follow each other on one baseline, from left to right, are a line.
fn joined(segments: &[Segment]) -> Vec<Line> {
    let mut rows: Vec<Vec<&Segment>> = Vec::new();
    for segment in segments {
        if let Some(row) = rows.last_mut()
            && let Some(last) = row.last()
            && (last.y - segment.y).abs() < SAME_LINE * segment.size.max(last.size)
            && segment.cell.x0 > last.cell.x1 - 0.3 * segment.size
        {
            row.push(segment);
        } else {
            rows.push(vec![segment]);
        }
    }
    rows.iter().filter_map(|row| line_of(row)).collect()
}

fn line_of(row: &[&Segment]) -> Option<Line> {
    let longest = row.iter().max_by_key(|segment| segment.n_chars)?;
    let sum = |of: fn(&Segment) -> usize| row.iter().map(|segment| of(segment)).sum::<usize>();
    let n_chars = sum(|segment| segment.n_chars);
    let mut cells: Vec<Cell> = Vec::new();
    for segment in row {
        match cells.last_mut() {
            Some(last) if segment.cell.x0 - last.x1 < CELL * segment.size => {
                let is_apart = segment.cell.x0 - last.x1 > BLANK * segment.size;
                if is_apart && !last.text.ends_with(' ') {
                    last.text.push(' ');
                }
                last.text.push_str(&segment.cell.text);
                last.x1 = last.x1.max(segment.cell.x1);
            }
            _ => cells.push(segment.cell.clone()),
        }
    }
    Some(Line {
        cells,
        y: longest.y,
        size: longest.size,
        is_bold: sum(|segment| segment.n_bold) * 10 > n_chars * 8,
        is_fixed: sum(|segment| segment.n_fixed) * 10 > n_chars * 8,
    })
}
