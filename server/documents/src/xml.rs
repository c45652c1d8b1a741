//! What does an XML part say, element by element? Entities of its own are never expanded.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::{ExtractError, Limits};

/// What a walk meets. Names are without their namespace's prefix.
pub(crate) enum Node<'a> {
    Open(&'a Element<'a>),
    Close(&'a str),
    Text(&'a str),
}

pub(crate) struct Element<'a> {
    start: &'a BytesStart<'a>,
}

impl Element<'_> {
    pub(crate) fn name(&self) -> &str {
        self.start.local_name().into_inner()
    }

    /// The attribute of this name in whatever namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        self.attributes_named(name).into_iter().next()
    }

    /// Those of this name in all namespaces.
    pub(crate) fn attributes_named(&self, name: &str) -> Vec<String> {
        let mut attributes = self.start.attributes();
        let named = attributes.with_checks(false).flatten();
        named
            .filter(|attribute| attribute.key.local_name().into_inner() == name)
            .map(|attribute| match attribute.normalized_value(XmlVersion::Implicit1_0) {
                Ok(value) => value.into_owned(),
                Err(_) => attribute.value.clone().into_owned(),
            })
            .collect()
    }
}

/// Hands every element and text of `xml` to `take`.
///
/// # Errors
/// [`ExtractError::Unreadable`] where it is no XML any more, [`ExtractError::TooLarge`] where it is
/// nested too deeply; and what `take` gives.
pub(crate) fn walk(
    xml: &str,
    limits: &Limits,
    mut take: impl FnMut(Node<'_>) -> Result<(), ExtractError>,
) -> Result<(), ExtractError> {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut depth = 0_u32;
    loop {
        match reader.read_event().map_err(ExtractError::unreadable)? {
            Event::Start(start) => {
                depth += 1;
                if depth > limits.depth {
                    return Err(ExtractError::TooLarge {
                        what: format!("{depth} nested elements"),
                    });
                }
                take(Node::Open(&Element { start: &start }))?;
            }
            Event::Empty(start) => {
                take(Node::Open(&Element { start: &start }))?;
                take(Node::Close(start.local_name().into_inner()))?;
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                take(Node::Close(end.local_name().into_inner()))?;
            }
            Event::Text(text) => take(Node::Text(&text.xml10_content()))?,
            Event::CData(text) => take(Node::Text(&text.xml10_content()))?,
            Event::GeneralRef(reference) => {
                let number = reference.resolve_char_ref().ok().flatten();
                let name = reference.into_inner();
                let named = match &*name {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    "nbsp" => Some('\u{a0}'),
                    // Entities of the document's own: none is needed, and they can be bombs.
                    _ => None,
                };
                if let Some(c) = number.or(named) {
                    take(Node::Text(c.encode_utf8(&mut [0; 4])))?;
                }
            }
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// The text of the first element of this name.
pub(crate) fn first_text(xml: &str, limits: &Limits, name: &str) -> Option<String> {
    let mut text: Option<String> = None;
    let mut is_within = false;
    let walked = walk(xml, limits, |node| {
        match node {
            Node::Open(element) if element.name() == name && text.is_none() => {
                is_within = true;
                text = Some(String::new());
            }
            Node::Close(closed) if closed == name => is_within = false,
            Node::Text(more) if is_within => {
                text.get_or_insert_default().push_str(more);
            }
            _ => {}
        }
        Ok(())
    });
    walked.ok().and(text)
}

/// The relations of an Office part: kind (the last part of its URI), id and target.
pub(crate) struct Relation {
    pub id: String,
    pub kind: String,
    pub target: String,
}

pub(crate) fn relations(xml: &str, limits: &Limits) -> Vec<Relation> {
    let mut found = Vec::new();
    // What can be read of a damaged list is used.
    let _ = walk(xml, limits, |node| {
        if let Node::Open(element) = node
            && element.name() == "Relationship"
            && element.attribute("TargetMode").as_deref() != Some("External")
        {
            let kind = element.attribute("Type").unwrap_or_default();
            found.push(Relation {
                id: element.attribute("Id").unwrap_or_default(),
                kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                target: element.attribute("Target").unwrap_or_default(),
            });
        }
        Ok(())
    });
    found
}
