//! What does a PDF say? Its pages' glyphs, put back into lines, paragraphs, headings and tables.

mod cmap;
mod embedded;
mod font;
mod layout;
mod lines;
mod page;

use std::collections::{BTreeMap, HashSet};

use lopdf::{Document, LoadOptions, Object, ObjectId, decode_text_string};
use portico_shared::documents::{Builder, ExtractWarning};

use crate::{ExtractError, Limits};

use font::Fonts;
use lines::{Line, lines};

/// Glyphs that no table names, as a share of all: more, and the text is none.
const UNNAMED_SHARE_MAX: f64 = 0.5;
/// So few chars on a page that holds a picture are a stamp or a page number.
const CHARS_OF_PICTURE_PAGE: usize = 30;

pub(crate) fn extract(
    builder: &mut Builder,
    bytes: &[u8],
    limits: &Limits,
) -> Result<(), ExtractError> {
    let document = load(bytes, limits)?;
    let title = document.trailer.get(b"Info").and_then(|info| document.dereference(info));
    let title = title.ok().and_then(|(_, info)| info.as_dict().ok()?.get(b"Title").ok());
    if let Some(title) = title.and_then(|title| decode_text_string(title).ok())
        && is_title(&title)
    {
        builder.title(&title);
    }
    let mut fonts = Fonts::default();
    let mut pages: BTreeMap<u32, Vec<Line>> = BTreeMap::new();
    let (mut n_pages, mut n_pictures, mut n_chars) = (0, 0, 0);
    let mut ink = page::Ink::default();
    let mut bytes_left = limits.unfolded_bytes;
    for (number, id) in (1..).zip(pages_of(&document)) {
        if number > limits.n_pages {
            return Err(ExtractError::TooLarge { what: format!("more than {number} pages") });
        }
        n_pages = number;
        let read = page::read(&document, id, &mut fonts, &mut bytes_left)?;
        ink.add(&read.ink);
        let found = lines(read.glyphs);
        let n: usize = found.iter().map(|line| line.text().chars().count()).sum();
        n_pictures += u32::from(read.ink.n_images > 0 && n < CHARS_OF_PICTURE_PAGE);
        n_chars += n;
        pages.insert(number, found);
        if n_chars > limits.text_chars as usize {
            return Err(ExtractError::TooLarge { what: format!("{n_chars} chars of text") });
        }
    }
    if n_pages == 0 {
        return Err(ExtractError::unreadable("no pages"));
    }
    let is_unnamed = ink.n_unnamed as f64 > UNNAMED_SHARE_MAX * ink.n_glyphs as f64;
    let is_pictures = n_pictures == n_pages;
    if is_pictures || is_unnamed || (ink.n_images > 0 && n_chars == 0) {
        return Err(ExtractError::NeedsOcr { n_pages });
    }
    builder.n_pages(n_pages);
    if n_pictures > 0 {
        builder.warn(ExtractWarning::PagesWithoutText { n_pages: n_pictures });
    }
    layout::push(builder, pages);
    Ok(())
}

/// The pages in their order. A tree that holds itself is gone through once.
fn pages_of(document: &Document) -> Vec<ObjectId> {
    let root = document.catalog().and_then(|catalog| catalog.get(b"Pages")?.as_reference());
    let mut waiting: Vec<ObjectId> = root.into_iter().collect();
    let mut seen = HashSet::new();
    let mut pages = Vec::new();
    while let Some(id) = waiting.pop() {
        let Ok(node) = document.get_dictionary(id) else { continue };
        if !seen.insert(id) {
            continue;
        }
        let kids = node.get(b"Kids").ok().and_then(|kids| follow(document, kids)?.as_array().ok());
        match kids {
            Some(kids) => {
                waiting.extend(kids.iter().rev().filter_map(|kid| kid.as_reference().ok()));
            }
            None => pages.push(id),
        }
    }
    pages
}

fn load(bytes: &[u8], limits: &Limits) -> Result<Document, ExtractError> {
    let most = usize::try_from(limits.unfolded_bytes).unwrap_or(usize::MAX);
    let options = LoadOptions {
        max_decompressed_size: Some(most),
        // A file that needs no password to be read has an empty one.
        password: Some(String::new()),
        ..LoadOptions::default()
    };
    let document = match Document::load_mem_with_options(bytes, options) {
        Ok(document) => document,
        Err(lopdf::Error::InvalidPassword) => return Err(ExtractError::Encrypted),
        Err(error) => {
            let reason = error.to_string();
            let is_locked = reason.to_lowercase().contains("password");
            return Err(if is_locked {
                ExtractError::Encrypted
            } else {
                ExtractError::unreadable(reason)
            });
        }
    };
    if document.is_encrypted() {
        return Err(ExtractError::Encrypted);
    }
    Ok(document)
}

/// Programs write their own words and files' names there.
fn is_title(title: &str) -> bool {
    let lower = title.trim().to_lowercase();
    let is_file = [".doc", ".docx", ".indd", ".tex", ".dvi", ".qxd", ".pdf", ".xls", ".ppt"]
        .iter()
        .any(|end| lower.ends_with(end));
    let is_word =
        ["untitled", "unbenannt", "microsoft word", "(anonymous)", "dokument", "document"]
            .iter()
            .any(|start| lower.starts_with(start));
    !is_file && !is_word && lower.chars().count() > 2
}

/// What a reference leads to; itself if it is none.
fn follow<'a>(document: &'a Document, object: &'a Object) -> Option<&'a Object> {
    document.dereference(object).ok().map(|(_, object)| object)
}
