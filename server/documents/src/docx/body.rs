//! How do a Word document's paragraphs and tables become blocks?

use portico_shared::documents::{BlockKind, Builder, table_text};

use super::numbering::Numbering;
use super::styles::Styles;
use crate::xml::{Element, Node, walk};
use crate::{ExtractError, Limits};

/// A paragraph that is being read. Text boxes stand within others.
#[derive(Default)]
struct Paragraph {
    text: String,
    style: String,
    outline_level: Option<u8>,
    list: Option<String>,
    level: Option<usize>,
}

pub(super) struct Body<'a> {
    styles: &'a Styles,
    numbering: Numbering,
    open: Vec<Paragraph>,
    /// Rows of the tables that are open, the innermost last.
    tables: Vec<Vec<Vec<String>>>,
    /// Elements whose content says nothing, or says it twice.
    n_dropped: u32,
    is_text: bool,
    notes: Vec<(&'static str, String)>,
}

impl<'a> Body<'a> {
    pub(super) fn new(styles: &'a Styles, numbering: Numbering) -> Self {
        Self {
            styles,
            numbering,
            open: Vec::new(),
            tables: Vec::new(),
            n_dropped: 0,
            is_text: false,
            notes: Vec::new(),
        }
    }

    /// Whether the text refers to this note.
    pub(super) fn has_note(&self, kind: &str, id: &str) -> bool {
        self.notes.iter().any(|(known, note)| *known == kind && note == id)
    }

    pub(super) fn read(
        &mut self,
        builder: &mut Builder,
        xml: &str,
        limits: &Limits,
    ) -> Result<(), ExtractError> {
        let read = walk(xml, limits, |node| {
            match node {
                Node::Open(element) => self.open(element),
                Node::Close(name) => self.close(builder, name),
                Node::Text(text) if self.is_text && self.n_dropped == 0 => {
                    if let Some(paragraph) = self.open.last_mut() {
                        paragraph.text.push_str(text);
                    }
                }
                Node::Text(_) => {}
            }
            Ok(())
        });
        // Where the file breaks off, what stands is kept.
        while !self.open.is_empty() {
            self.end_paragraph(builder);
        }
        while let Some(rows) = self.tables.pop() {
            push_table(builder, rows);
        }
        read
    }

    fn open(&mut self, element: &Element<'_>) {
        // What stands in `AlternateContent` stands there twice: once for old readers.
        if matches!(element.name(), "Fallback" | "del" | "moveFrom" | "instrText" | "delText") {
            self.n_dropped += 1;
        }
        if self.n_dropped > 0 {
            return;
        }
        let value = || element.attribute("val").unwrap_or_default();
        let paragraph = self.open.last_mut();
        match (element.name(), paragraph) {
            ("p", _) => self.open.push(Paragraph::default()),
            ("t", _) => self.is_text = true,
            ("tbl", _) => self.tables.push(Vec::new()),
            ("tr", _) => {
                if let Some(rows) = self.tables.last_mut() {
                    rows.push(Vec::new());
                }
            }
            ("tc", _) => {
                if let Some(row) = self.tables.last_mut().and_then(|rows| rows.last_mut()) {
                    row.push(String::new());
                }
            }
            ("pStyle", Some(paragraph)) => paragraph.style = value(),
            ("outlineLvl", Some(paragraph)) => paragraph.outline_level = value().parse().ok(),
            ("numId", Some(paragraph)) => paragraph.list = Some(value()),
            ("ilvl", Some(paragraph)) => paragraph.level = value().parse().ok(),
            ("tab" | "ptab", Some(paragraph)) => paragraph.text.push(' '),
            ("br" | "cr", Some(paragraph)) => paragraph.text.push('\n'),
            ("noBreakHyphen", Some(paragraph)) => paragraph.text.push('-'),
            (kind @ ("footnoteReference" | "endnoteReference"), Some(paragraph)) => {
                let id = element.attribute("id").unwrap_or_default();
                paragraph.text.push_str(&format!("[{id}]"));
                let kind = if kind == "footnoteReference" { "footnotes" } else { "endnotes" };
                self.notes.push((kind, id));
            }
            _ => {}
        }
    }

    fn close(&mut self, builder: &mut Builder, name: &str) {
        if matches!(name, "Fallback" | "del" | "moveFrom" | "instrText" | "delText") {
            self.n_dropped = self.n_dropped.saturating_sub(1);
            return;
        }
        if self.n_dropped > 0 {
            return;
        }
        match name {
            "t" => self.is_text = false,
            "p" => self.end_paragraph(builder),
            "tbl" => {
                let Some(rows) = self.tables.pop() else { return };
                match self.cell() {
                    // A table in a cell is its text.
                    Some(cell) => {
                        cell.push(' ');
                        cell.push_str(&table_text(rows));
                    }
                    None => push_table(builder, rows),
                }
            }
            _ => {}
        }
    }

    fn cell(&mut self) -> Option<&mut String> {
        self.tables.last_mut()?.last_mut()?.last_mut()
    }

    fn end_paragraph(&mut self, builder: &mut Builder) {
        let Some(paragraph) = self.open.pop() else { return };
        let is_blank = paragraph.text.trim().is_empty();
        let heading = match paragraph.outline_level {
            Some(level) => (level < 9).then_some(level + 1),
            None => self.styles.heading(&paragraph.style),
        };
        let from_style = self.styles.number(&paragraph.style);
        let list = paragraph.list.or(from_style.as_ref().map(|(list, _)| list.clone()));
        let level = paragraph.level.or(from_style.map(|(_, level)| level)).unwrap_or(0);
        let number = match &list {
            // A heading's number comes with its style, which may leave the list out for the level.
            Some(list) if !is_blank => self.numbering.next(list, level),
            _ => None,
        };
        if is_blank {
            return;
        }
        if let Some(cell) = self.cell() {
            if !cell.is_empty() {
                cell.push(' ');
            }
            if let Some(number) = number {
                cell.push_str(&format!("{number} "));
            }
            cell.push_str(&paragraph.text);
            return;
        }
        let is_code = self.styles.is_code(&paragraph.style);
        match (heading, number) {
            (Some(level), number) => {
                let number = number.filter(|number| number != "-");
                let number = number.map(|number| number + " ").unwrap_or_default();
                builder.push(BlockKind::Heading { level }, &format!("{number}{}", paragraph.text));
                if level == 1 {
                    builder.title(&paragraph.text);
                }
            }
            (None, Some(number)) => {
                builder.push(BlockKind::ListItem, &format!("{number} {}", paragraph.text));
            }
            (None, None) if is_code => builder.push(BlockKind::Code, &paragraph.text),
            (None, None) => builder.push(BlockKind::Paragraph, &paragraph.text),
        }
    }
}

/// A table of one column is a frame around paragraphs.
fn push_table(builder: &mut Builder, rows: Vec<Vec<String>>) {
    if rows.iter().all(|row| row.len() < 2) {
        for cell in rows.into_iter().flatten() {
            builder.push(BlockKind::Paragraph, &cell);
        }
    } else {
        builder.push(BlockKind::Table, &table_text(rows));
    }
}

/// Foot- or endnotes by their ids. Lines between them and the text have ids below 1.
pub(super) fn notes(xml: &str, limits: &Limits) -> Vec<(String, String)> {
    let mut notes: Vec<(String, String)> = Vec::new();
    let mut is_text = false;
    // What can be read of a damaged part is used.
    let _ = walk(xml, limits, |node| {
        match node {
            Node::Open(element) => match element.name() {
                "footnote" | "endnote" => {
                    notes.push((element.attribute("id").unwrap_or_default(), String::new()));
                }
                "t" => is_text = true,
                _ => {}
            },
            Node::Close("t") => is_text = false,
            Node::Close("p") => {
                if let Some((_, text)) = notes.last_mut() {
                    text.push(' ');
                }
            }
            Node::Text(text) if is_text => {
                if let Some((_, note)) = notes.last_mut() {
                    note.push_str(text);
                }
            }
            _ => {}
        }
        Ok(())
    });
    notes
}
