//! Which of a Word document's styles are headings, and which are lists?

use std::collections::HashMap;

use crate::Limits;
use crate::xml::{Node, walk};

/// Styles that stand on each other, at most.
const PARENTS_MAX: usize = 20;

#[derive(Debug, Default)]
struct Style {
    name: String,
    parent: Option<String>,
    /// From 0, as the file has it; 9 is the text.
    outline_level: Option<u8>,
    number: Option<(String, usize)>,
}

#[derive(Debug, Default)]
pub(super) struct Styles(HashMap<String, Style>);

impl Styles {
    pub(super) fn read(xml: &str, limits: &Limits) -> Self {
        let mut styles = Self::default();
        let mut id = String::new();
        // A damaged list of styles costs headings, not text.
        let _ = walk(xml, limits, |node| {
            let Node::Open(element) = node else { return Ok(()) };
            let value = || element.attribute("val").unwrap_or_default();
            if element.name() == "style" {
                id = element.attribute("styleId").unwrap_or_default();
                styles.0.insert(id.clone(), Style::default());
                return Ok(());
            }
            let Some(style) = styles.0.get_mut(&id) else { return Ok(()) };
            match element.name() {
                "name" => style.name = value().to_lowercase(),
                "basedOn" => style.parent = Some(value()),
                "outlineLvl" => style.outline_level = value().parse().ok(),
                "numId" => style.number.get_or_insert_default().0 = value(),
                "ilvl" => style.number.get_or_insert_default().1 = value().parse().unwrap_or(0),
                _ => {}
            }
            Ok(())
        });
        styles
    }

    fn chain<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Style> {
        let first = self.0.get(id);
        std::iter::successors(first, |style| {
            style.parent.as_ref().and_then(|parent| self.0.get(parent))
        })
        .take(PARENTS_MAX)
    }

    /// The level of a heading, from 1.
    pub(super) fn heading(&self, id: &str) -> Option<u8> {
        for style in self.chain(id) {
            if let Some(level) = style.outline_level {
                return (level < 9).then_some(level + 1);
            }
            let name = style.name.as_str();
            if name == "title" || name == "titel" {
                return Some(1);
            }
            let number = name.strip_prefix("heading ").or(name.strip_prefix("überschrift "));
            if let Some(level) = number.and_then(|number| number.trim().parse::<u8>().ok()) {
                return Some(level.clamp(1, 9));
            }
        }
        // Without a list of styles, their usual ids.
        let id = id.to_lowercase();
        let number = id.strip_prefix("heading").or(id.strip_prefix("berschrift"));
        let level = number.and_then(|number| number.parse::<u8>().ok());
        if self.0.is_empty() { level.map(|level| level.clamp(1, 9)) } else { None }
    }

    /// The list that a style's paragraphs are items of, and their level in it.
    pub(super) fn number(&self, id: &str) -> Option<(String, usize)> {
        self.chain(id).find_map(|style| style.number.clone())
    }

    pub(super) fn is_code(&self, id: &str) -> bool {
        self.chain(id).any(|style| {
            ["code", "preformatted", "quelltext", "source", "listing"]
                .iter()
                .any(|word| style.name.contains(word))
        })
    }
}
