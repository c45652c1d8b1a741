//! What does a Word document say? Headings by its styles, lists with their numbers, tables, notes.

mod body;
mod numbering;
mod styles;

use portico_shared::documents::{BlockKind, Builder};

use crate::archive::{Archive, resolve};
use crate::xml::{first_text, relations};
use crate::{ExtractError, Limits, keep};

use body::Body;
use numbering::Numbering;
use styles::Styles;

pub(crate) fn extract(
    builder: &mut Builder,
    bytes: &[u8],
    limits: &Limits,
) -> Result<(), ExtractError> {
    let archive = Archive::open(bytes, limits)?;
    let roots = archive.text("_rels/.rels")?.unwrap_or_default();
    let roots = relations(&roots, limits);
    let document = roots.iter().find(|relation| relation.kind == "officeDocument");
    let document = document.map(|relation| resolve("", &relation.target));
    let document = document.filter(|part| archive.has(part));
    let document = document.unwrap_or_else(|| "word/document.xml".to_owned());

    let (folder, file) = document.rsplit_once('/').unwrap_or(("", &document));
    let links = archive.text(&format!("{folder}/_rels/{file}.rels"))?.unwrap_or_default();
    let links = relations(&links, limits);
    let part = |kind: &str| {
        let link = links.iter().find(|link| link.kind == kind)?;
        archive.text(&resolve(&document, &link.target)).ok().flatten()
    };
    let styles = Styles::read(&part("styles").unwrap_or_default(), limits);
    let numbering = Numbering::read(&part("numbering").unwrap_or_default(), limits);

    let properties = archive.text("docProps/core.xml").ok().flatten();
    if let Some(title) = properties.and_then(|xml| first_text(&xml, limits, "title")) {
        builder.title(&title);
    }
    let xml = archive.needed(&document)?;
    let mut body = Body::new(&styles, numbering);
    let read = body.read(builder, &xml, limits);
    keep(builder, &document, read)?;
    for kind in ["footnotes", "endnotes"] {
        let Some(xml) = part(kind) else { continue };
        for (id, text) in body::notes(&xml, limits) {
            if body.has_note(kind, &id) {
                builder.push(BlockKind::Paragraph, &format!("[{id}] {text}"));
            }
        }
    }
    Ok(())
}
