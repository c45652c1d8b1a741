//! What does a document say, and in which pieces is it found again?
//!
//! [`Extracted`] is a document's text with its structure, whatever the format; [`chunk`] cuts it into
//! the passages that are embedded, searched and cited. What a browser can read by itself (plain text,
//! Markdown, CSV, HTML) is read here; the server reads the rest.

mod builder;
mod chunk;
mod csv;
mod html;
mod lang;
mod markdown;
mod plain;
mod sentence;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use builder::Builder;
pub use chunk::{ChunkLimits, chunk};
pub use csv::{csv, table_text};
pub use html::{HtmlBlocks, html};
pub use lang::detect;
pub use markdown::markdown;
pub use plain::{plain, push_plain};

/// A document's text with its structure. Offsets are in Unicode scalar values (chars) into `text`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    pub title: Option<String>,
    pub text: String,
    /// In the text's order, apart from each other.
    pub blocks: Vec<Block>,
    pub n_pages: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<ExtractWarning>,
}

/// A heading, a paragraph, an item of a list, a table or a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub kind: BlockKind,
    pub chars: Range<u32>,
    /// From 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Sheet, slide, chapter, part of a mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// `level` from 1.
    Heading {
        level: u8,
    },
    Paragraph,
    ListItem,
    /// A row a line, cells parted by ` | `.
    Table,
    Code,
}

/// What was left out or had to be guessed; none of it keeps the rest from being used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExtractWarning {
    /// Pages that are pictures: they need text recognition.
    PagesWithoutText { n_pages: u32 },
    /// Bytes whose encoding nothing names.
    EncodingGuessed { encoding: String },
    /// A part (a slide, an attachment, a chapter) that could not be read.
    PartLeftOut { part: String, reason: String },
    /// Rows beyond the limit of a sheet.
    RowsLeftOut { section: String, n_rows: u32 },
}

/// A passage: what is embedded, searched and cited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// From 0, in the document's order.
    pub ordinal: u32,
    /// What stands at `chars`. Rows from the middle of a table have its first row in front of them.
    pub text: String,
    /// From the outermost heading to the one above the text.
    pub heading_path: Vec<String>,
    /// Where it begins, from 1.
    pub page: Option<u32>,
    pub section: Option<String>,
    /// Into the document's text, in chars.
    pub chars: Range<u32>,
    pub n_tokens: u32,
    pub lang: DocLang,
}

impl Chunk {
    /// What is embedded and indexed: a line of the headings that the text does not hold itself, and the
    /// text.
    pub fn context_text(&self, title: Option<&str>) -> String {
        let mut line: Vec<&str> = Vec::new();
        let path = self.heading_path.iter().map(String::as_str);
        for part in title.into_iter().chain(self.section.as_deref()).chain(path) {
            let is_said = line.last() == Some(&part) || self.text.lines().any(|own| own == part);
            if !is_said && !part.trim().is_empty() {
                line.push(part);
            }
        }
        match line.is_empty() {
            true => self.text.clone(),
            false => format!("{}\n{}", line.join(" › "), self.text),
        }
    }
}

/// The language that a passage is analysed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocLang {
    De,
    En,
    Other,
}

impl DocLang {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests;
