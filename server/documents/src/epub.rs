//! What does an e-book say? Its chapters in the order of its spine.

use std::collections::HashMap;

use portico_shared::documents::{BlockKind, Builder, ExtractWarning};

use crate::archive::{Archive, resolve};
use crate::xml::{Node, walk};
use crate::{ExtractError, Limits, html};

pub(crate) fn extract(
    builder: &mut Builder,
    bytes: &[u8],
    limits: &Limits,
) -> Result<(), ExtractError> {
    let archive = Archive::open(bytes, limits)?;
    let book = Book::read(&archive, limits)?;
    if let Some(title) = &book.title {
        builder.title(title);
    }
    let locked = locked_parts(&archive, limits)?;
    if book.spine.iter().any(|part| locked.contains(part)) {
        return Err(ExtractError::Encrypted);
    }
    for part in &book.spine {
        let text = match archive.text(part) {
            Ok(Some(text)) => text,
            Ok(None) => {
                let reason = "it is not in the book".to_owned();
                builder.warn(ExtractWarning::PartLeftOut { part: part.clone(), reason });
                continue;
            }
            Err(ExtractError::Unreadable { reason }) => {
                builder.warn(ExtractWarning::PartLeftOut { part: part.clone(), reason });
                continue;
            }
            Err(error) => return Err(error),
        };
        let chapter = html::read(&text);
        let heading = chapter.blocks.iter().find_map(|block| match block.kind {
            BlockKind::Heading { .. } => {
                let chars = chapter.text.chars();
                let skipped = chars.skip(block.chars.start as usize);
                Some(skipped.take(block.chars.len()).collect::<String>())
            }
            _ => None,
        });
        // Chapters that go on in another file have no heading of their own.
        if let Some(heading) = heading.or_else(|| chapter.title.clone()) {
            builder.section(Some(&heading));
        }
        builder.append(chapter);
    }
    Ok(())
}

struct Book {
    title: Option<String>,
    /// Names of parts, in reading order.
    spine: Vec<String>,
}

impl Book {
    fn read(archive: &Archive<'_>, limits: &Limits) -> Result<Self, ExtractError> {
        let container = archive.needed("META-INF/container.xml")?;
        let mut package = None;
        walk(&container, limits, |node| {
            if let Node::Open(element) = node
                && element.name() == "rootfile"
                && package.is_none()
            {
                package = element.attribute("full-path");
            }
            Ok(())
        })?;
        let package =
            package.ok_or_else(|| ExtractError::unreadable("the book names no contents"))?;
        let xml = archive.needed(&package)?;
        let mut items: HashMap<String, (String, String)> = HashMap::new();
        let mut spine = Vec::new();
        let mut title = None;
        let mut in_title = false;
        walk(&xml, limits, |node| {
            match node {
                Node::Open(element) => match element.name() {
                    "item" => {
                        let of = |name: &str| element.attribute(name).unwrap_or_default();
                        items.insert(of("id"), (percent_decoded(&of("href")), of("media-type")));
                    }
                    "itemref" => spine.extend(element.attribute("idref")),
                    "title" => in_title = title.is_none(),
                    _ => {}
                },
                Node::Text(text) if in_title => {
                    title.get_or_insert_with(String::new).push_str(text);
                }
                Node::Close("title") => in_title = false,
                _ => {}
            }
            Ok(())
        })?;
        let parts = spine.iter().filter_map(|id| items.get(id));
        let is_page = |media_type: &str| media_type.contains("html") || media_type.contains("xml");
        let spine: Vec<String> = parts
            .filter(|(_, media_type)| is_page(media_type) && !media_type.contains("svg"))
            .map(|(href, _)| resolve(&package, href))
            .collect();
        if spine.is_empty() {
            return Err(ExtractError::unreadable("the book has no chapters"));
        }
        Ok(Self { title, spine })
    }
}

/// Parts that a reader's key is needed for. Fonts may be; chapters are not read then.
fn locked_parts(archive: &Archive<'_>, limits: &Limits) -> Result<Vec<String>, ExtractError> {
    let mut locked = Vec::new();
    if let Some(xml) = archive.text("META-INF/encryption.xml")? {
        walk(&xml, limits, |node| {
            if let Node::Open(element) = node
                && element.name() == "CipherReference"
            {
                let part = element.attribute("URI").unwrap_or_default();
                locked.push(resolve("", &percent_decoded(&part)));
            }
            Ok(())
        })?;
    }
    Ok(locked)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = (*first == b'%').then(|| behind.get(..2)).flatten();
        let byte = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
