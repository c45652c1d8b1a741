//! What does a presentation say? Slide by slide: title, text, tables, and the speaker's notes.

use std::collections::HashMap;

use portico_shared::documents::{BlockKind, Builder, ExtractWarning, table_text};

use crate::archive::{Archive, resolve};
use crate::xml::{Element, Node, first_text, relations, walk};
use crate::{ExtractError, Limits};

const MAIN: &str = "ppt/presentation.xml";

pub(crate) fn extract(
    builder: &mut Builder,
    bytes: &[u8],
    limits: &Limits,
) -> Result<(), ExtractError> {
    let archive = Archive::open(bytes, limits)?;
    let properties = archive.text("docProps/core.xml").ok().flatten();
    if let Some(title) = properties.and_then(|xml| first_text(&xml, limits, "title")) {
        builder.title(&title);
    }
    let slides = slides(&archive, limits)?;
    for (number, part) in (1..).zip(&slides) {
        builder.page(number);
        match slide(builder, &archive, part, limits) {
            Ok(()) => {}
            Err(ExtractError::Unreadable { reason }) => {
                builder.warn(ExtractWarning::PartLeftOut { part: part.clone(), reason });
            }
            Err(error) => return Err(error),
        }
    }
    builder.section(None);
    Ok(())
}

/// The slides' parts, in the order in which they are shown.
fn slides(archive: &Archive<'_>, limits: &Limits) -> Result<Vec<String>, ExtractError> {
    let xml = archive.needed(MAIN)?;
    let links = archive.text("ppt/_rels/presentation.xml.rels")?.unwrap_or_default();
    let links: HashMap<String, String> = relations(&links, limits)
        .into_iter()
        .map(|link| (link.id, resolve(MAIN, &link.target)))
        .collect();
    let mut slides = Vec::new();
    walk(&xml, limits, |node| {
        if let Node::Open(element) = node
            && element.name() == "sldId"
        {
            // Its own number is an `id`, too: the relation's is told by its value.
            let id = element.attributes_named("id").into_iter().find(|id| links.contains_key(id));
            slides.extend(id.and_then(|id| links.get(&id).cloned()));
        }
        Ok(())
    })?;
    Ok(slides)
}

fn slide(
    builder: &mut Builder,
    archive: &Archive<'_>,
    part: &str,
    limits: &Limits,
) -> Result<(), ExtractError> {
    let xml = archive.needed(part)?;
    let mut shapes = Shapes::default();
    let read = walk(&xml, limits, |node| shapes.take(node));
    let title: Vec<String> = shapes.pieces.iter().filter_map(Piece::title).collect();
    let title = title.join(" ");
    let number = part.rsplit("slide").next().and_then(|rest| rest.strip_suffix(".xml"));
    builder.section(if title.is_empty() { number } else { Some(&title) });
    builder.push(BlockKind::Heading { level: 1 }, &title);
    builder.title(&title);
    for piece in shapes.pieces {
        match piece {
            Piece::Text { text, is_title: false, .. } if text.trim().is_empty() => {}
            Piece::Text { is_title: true, .. } => {}
            Piece::Text { text, is_item: true, .. } => {
                builder.push(BlockKind::ListItem, &format!("- {text}"));
            }
            Piece::Text { text, .. } => builder.push(BlockKind::Paragraph, &text),
            Piece::Table(rows) => builder.push(BlockKind::Table, &table_text(rows)),
        }
    }
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let links = archive.text(&format!("{folder}/_rels/{file}.rels"))?.unwrap_or_default();
    let links = relations(&links, limits);
    if let Some(notes) = links.iter().find(|link| link.kind == "notesSlide")
        && let Some(xml) = archive.text(&resolve(part, &notes.target))?
    {
        let mut shapes = Shapes::default();
        let _ = walk(&xml, limits, |node| shapes.take(node));
        for piece in shapes.pieces {
            if let Piece::Text { text, place, .. } = piece
                && place == "body"
            {
                builder.push(BlockKind::Paragraph, &text);
            }
        }
    }
    read
}

enum Piece {
    Text { text: String, place: String, is_title: bool, is_item: bool },
    Table(Vec<Vec<String>>),
}

impl Piece {
    fn title(&self) -> Option<String> {
        match self {
            Self::Text { text, is_title: true, .. } => Some(text.trim().to_owned()),
            _ => None,
        }
    }
}

/// The shapes of a slide as they are met.
#[derive(Default)]
struct Shapes {
    pieces: Vec<Piece>,
    /// What the shape is there for, such as `title`; empty for free text.
    place: String,
    has_place: bool,
    text: Option<String>,
    is_text: bool,
    n_dropped: u32,
    rows: Option<Vec<Vec<String>>>,
}

impl Shapes {
    fn take(&mut self, node: Node<'_>) -> Result<(), ExtractError> {
        match node {
            Node::Open(element) => self.open(element),
            Node::Close(name) => self.close(name),
            Node::Text(more) if self.is_text && self.n_dropped == 0 => {
                if let Some(text) = &mut self.text {
                    text.push_str(more);
                }
            }
            Node::Text(_) => {}
        }
        Ok(())
    }

    fn open(&mut self, element: &Element<'_>) {
        let name = element.name();
        // Numbers of slides, dates; and what old readers get of `AlternateContent`.
        if matches!(name, "Fallback" | "fld") {
            self.n_dropped += 1;
        }
        match name {
            "sp" | "graphicFrame" => {
                self.place.clear();
                self.has_place = false;
            }
            "ph" => {
                self.place = element.attribute("type").unwrap_or_else(|| "body".to_owned());
                self.has_place = true;
            }
            "p" => self.text = Some(String::new()),
            "t" => self.is_text = true,
            "br" => {
                if let Some(text) = &mut self.text {
                    text.push('\n');
                }
            }
            "tbl" => self.rows = Some(Vec::new()),
            "tr" => {
                if let Some(rows) = &mut self.rows {
                    rows.push(Vec::new());
                }
            }
            "tc" => {
                if let Some(row) = self.rows.as_mut().and_then(|rows| rows.last_mut()) {
                    row.push(String::new());
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "Fallback" | "fld" => self.n_dropped = self.n_dropped.saturating_sub(1),
            "t" => self.is_text = false,
            "p" => {
                let Some(text) = self.text.take() else { return };
                if let Some(rows) = &mut self.rows {
                    if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                        cell.push_str(&format!(" {text}"));
                    }
                    return;
                }
                let is_foot = matches!(self.place.as_str(), "sldNum" | "dt" | "ftr" | "hdr");
                if text.trim().is_empty() || is_foot {
                    return;
                }
                self.pieces.push(Piece::Text {
                    text,
                    is_title: matches!(self.place.as_str(), "title" | "ctrTitle"),
                    is_item: self.has_place && matches!(self.place.as_str(), "body" | "obj"),
                    place: self.place.clone(),
                });
            }
            "tbl" => self.pieces.extend(self.rows.take().map(Piece::Table)),
            _ => {}
        }
    }
}
