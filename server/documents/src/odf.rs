//! What does an OpenDocument text or presentation say?

use std::collections::HashMap;

use portico_shared::documents::{BlockKind, Builder, table_text};

use crate::archive::Archive;
use crate::xml::{Element, Node, first_text, walk};
use crate::{ExtractError, Limits, keep};

/// Cells and blanks that a number repeats, at most: files repeat the last cell to the sheet's edge.
const REPEATED_MAX: usize = 100;
const STYLE_PARENTS_MAX: usize = 20;

pub(crate) fn extract(
    builder: &mut Builder,
    bytes: &[u8],
    limits: &Limits,
) -> Result<(), ExtractError> {
    let archive = Archive::open(bytes, limits)?;
    let manifest = archive.text("META-INF/manifest.xml").ok().flatten().unwrap_or_default();
    if manifest.contains("encryption-data") {
        return Err(ExtractError::Encrypted);
    }
    let meta = archive.text("meta.xml").ok().flatten();
    if let Some(title) = meta.and_then(|xml| first_text(&xml, limits, "title")) {
        builder.title(&title);
    }
    let mut styles = HashMap::new();
    if let Ok(Some(xml)) = archive.text("styles.xml") {
        read_styles(&mut styles, &xml, limits);
    }
    let xml = archive.needed("content.xml")?;
    read_styles(&mut styles, &xml, limits);
    let mut content = Content { styles, ..Content::default() };
    let read = walk(&xml, limits, |node| {
        match node {
            Node::Open(element) => content.open(builder, element),
            Node::Close(name) => content.close(builder, name),
            Node::Text(text) => content.text(text),
        }
        Ok(())
    });
    content.finish(builder);
    keep(builder, "content.xml", read)
}

/// Each style's parent: what a paragraph is stands at the end of the chain.
fn read_styles(styles: &mut HashMap<String, String>, xml: &str, limits: &Limits) {
    // A damaged list of styles costs headings, not text.
    let _ = walk(xml, limits, |node| {
        if let Node::Open(element) = node
            && element.name() == "style"
            && let Some(name) = element.attribute("name")
        {
            let parent = element.attribute("parent-style-name").unwrap_or_default();
            styles.insert(name, parent);
        }
        Ok(())
    });
}

#[derive(Default)]
struct Paragraph {
    text: String,
    heading: Option<u8>,
    is_code: bool,
}

#[derive(Default)]
struct Content {
    styles: HashMap<String, String>,
    open: Vec<Paragraph>,
    tables: Vec<Vec<Vec<String>>>,
    /// How often the cell that is open stands there.
    n_repeated: Vec<usize>,
    n_lists: u32,
    /// Whether the next paragraph is an item's first.
    is_item: bool,
    /// Elements whose text is no part of the document's: deletions, comments, settings.
    n_dropped: u32,
    /// Foot- and endnotes: their text comes at the end.
    notes: Vec<String>,
    in_note: bool,
    in_citation: bool,
    n_slides: u32,
    /// Whether what follows is a slide's title.
    is_title: bool,
}

impl Content {
    fn open(&mut self, builder: &mut Builder, element: &Element<'_>) {
        let name = element.name();
        if is_dropped(name) {
            self.n_dropped += 1;
        }
        if self.n_dropped > 0 {
            return;
        }
        match name {
            "h" | "p" => {
                let style = element.attribute("style-name").unwrap_or_default();
                let own = element.attribute("outline-level").and_then(|level| level.parse().ok());
                let heading = match name {
                    "h" => Some(own.unwrap_or(1)),
                    _ => self.heading(&style),
                };
                let is_code = self.chain(&style).any(|style| style.contains("Preformatted"));
                self.open.push(Paragraph { heading, is_code, ..Paragraph::default() });
            }
            "s" => {
                let n = element.attribute("c").and_then(|n| n.parse::<usize>().ok()).unwrap_or(1);
                self.push(&" ".repeat(n.min(REPEATED_MAX)));
            }
            "tab" => self.push(" "),
            "line-break" => self.push("\n"),
            "list" => self.n_lists += 1,
            "list-item" | "list-header" => self.is_item = name == "list-item",
            "table" => self.tables.push(Vec::new()),
            "table-row" => {
                if let Some(rows) = self.tables.last_mut() {
                    rows.push(Vec::new());
                }
            }
            "table-cell" | "covered-table-cell" => {
                let n = element.attribute("number-columns-repeated");
                let n = n.and_then(|n| n.parse().ok()).unwrap_or(1_usize);
                self.n_repeated.push(n.min(REPEATED_MAX));
                if let Some(row) = self.tables.last_mut().and_then(|rows| rows.last_mut()) {
                    row.push(String::new());
                }
            }
            "note-citation" => self.in_citation = true,
            "note-body" => {
                self.in_note = true;
                let number = self.notes.len() + 1;
                self.push(&format!("[{number}]"));
                self.notes.push(format!("[{number}] "));
            }
            "page" => {
                self.n_slides += 1;
                builder.page(self.n_slides);
                builder.section(Some(&self.n_slides.to_string()));
            }
            "frame" => {
                self.is_title = element.attribute("class").is_some_and(|class| class == "title");
            }
            _ => {}
        }
    }

    fn close(&mut self, builder: &mut Builder, name: &str) {
        if is_dropped(name) {
            self.n_dropped = self.n_dropped.saturating_sub(1);
            return;
        }
        if self.n_dropped > 0 {
            return;
        }
        match name {
            "h" | "p" => self.end_paragraph(builder),
            "list" => self.n_lists = self.n_lists.saturating_sub(1),
            "note-citation" => self.in_citation = false,
            "note-body" => self.in_note = false,
            "table-cell" | "covered-table-cell" => {
                let n = self.n_repeated.pop().unwrap_or(1);
                if let Some(row) = self.tables.last_mut().and_then(|rows| rows.last_mut())
                    && let Some(cell) = row.last().cloned()
                {
                    row.extend(std::iter::repeat_n(cell, n.saturating_sub(1)));
                }
            }
            "table" => {
                if let Some(rows) = self.tables.pop() {
                    self.push_table(builder, rows);
                }
            }
            "frame" => self.is_title = false,
            "page" => builder.section(None),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.n_dropped == 0 && !self.in_citation {
            self.push(text);
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(paragraph) = self.open.last_mut() {
            paragraph.text.push_str(text);
        }
    }

    fn end_paragraph(&mut self, builder: &mut Builder) {
        let Some(paragraph) = self.open.pop() else { return };
        let text = paragraph.text;
        if self.in_note {
            if let Some(note) = self.notes.last_mut() {
                note.push_str(text.trim());
                note.push(' ');
            }
            return;
        }
        if text.trim().is_empty() {
            return;
        }
        if let Some(cell) =
            self.tables.last_mut().and_then(|rows| rows.last_mut()).and_then(|row| row.last_mut())
        {
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(&text);
            return;
        }
        if self.is_title && self.n_slides > 0 {
            builder.section(Some(&text));
        }
        match paragraph.heading.or((self.is_title && self.n_slides > 0).then_some(1)) {
            Some(level) => {
                builder.push(BlockKind::Heading { level }, &text);
                if level == 1 {
                    builder.title(&text);
                }
            }
            None if paragraph.is_code => builder.push(BlockKind::Code, &text),
            None if self.n_lists > 0 && std::mem::take(&mut self.is_item) => {
                builder.push(BlockKind::ListItem, &format!("- {text}"));
            }
            None if self.n_lists > 0 => builder.push(BlockKind::ListItem, &text),
            None => builder.push(BlockKind::Paragraph, &text),
        }
    }

    fn push_table(&mut self, builder: &mut Builder, rows: Vec<Vec<String>>) {
        let is_list = rows.iter().all(|row| row.len() < 2);
        let cell =
            self.tables.last_mut().and_then(|rows| rows.last_mut()).and_then(|row| row.last_mut());
        match cell {
            // A table in a cell is its text.
            Some(cell) => cell.push_str(&format!(" {}", table_text(rows))),
            None if is_list => {
                for cell in rows.into_iter().flatten() {
                    builder.push(BlockKind::Paragraph, &cell);
                }
            }
            None => builder.push(BlockKind::Table, &table_text(rows)),
        }
    }

    fn finish(&mut self, builder: &mut Builder) {
        self.in_note = false;
        while !self.open.is_empty() {
            self.end_paragraph(builder);
        }
        while let Some(rows) = self.tables.pop() {
            self.push_table(builder, rows);
        }
        for note in std::mem::take(&mut self.notes) {
            builder.push(BlockKind::Paragraph, &note);
        }
    }

    fn chain<'a>(&'a self, style: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::successors(Some(style), |style| self.styles.get(*style).map(String::as_str))
            .take_while(|style| !style.is_empty())
            .take(STYLE_PARENTS_MAX)
    }

    /// Paragraphs that only look like headings: by the name of the style that theirs is made of.
    fn heading(&self, style: &str) -> Option<u8> {
        self.chain(style).find_map(|style| {
            let level = style.strip_prefix("Heading_20_");
            match (style, level) {
                ("Title", _) => Some(1),
                (_, Some(level)) => level.parse().ok(),
                _ => None,
            }
        })
    }
}

fn is_dropped(name: &str) -> bool {
    matches!(
        name,
        "tracked-changes"
            | "annotation"
            | "automatic-styles"
            | "scripts"
            | "font-face-decls"
            | "settings"
            | "forms"
            | "desc"
    )
}
