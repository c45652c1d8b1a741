//! Where do an answer's citations stand when it is shown?
//!
//! For the Markdown parser each is one private character (U+E000 and on) with a number, which no markup
//! can touch: `[1](https://…)` becomes a citation and words, never a link. Such characters in the text
//! itself are left out.

use std::borrow::Cow;

use portico_shared::grounding::{Citation, CitedBy};

/// The character of source 0 by the model; comparisons have theirs [`BY_COMPARISON`] higher.
const FIRST: u32 = 0xe000;
const BY_COMPARISON: u32 = 0x800;
const LAST: u32 = FIRST + 2 * BY_COMPARISON - 1;

fn is_mark(c: char) -> bool {
    (FIRST..=LAST).contains(&u32::from(c))
}

/// The source that a character names, and whether a comparison found it.
pub fn citation_of(c: char) -> Option<(u32, bool)> {
    let place = u32::from(c).checked_sub(FIRST).filter(|_| is_mark(c))?;
    Some((place % BY_COMPARISON, place >= BY_COMPARISON))
}

/// A text without citations' characters.
pub fn unmarked(text: &str) -> Cow<'_, str> {
    match text.contains(is_mark) {
        true => Cow::Owned(text.chars().filter(|&c| !is_mark(c)).collect()),
        false => Cow::Borrowed(text),
    }
}

/// The answer's text for [`crate::markdown`]. The citations may come in any order.
pub fn marked<'a>(text: &'a str, citations: &[Citation]) -> Cow<'a, str> {
    if citations.is_empty() {
        return unmarked(text);
    }
    let mut citations = citations.to_vec();
    citations.sort_by_key(|citation| citation.at);
    let mut citations = citations.iter().peekable();
    let mut out = String::with_capacity(text.len());
    let mut n_skipped = 0;
    for (at, c) in (0_u32..).zip(text.chars().map(Some).chain([None])) {
        while let Some(citation) = citations.next_if(|citation| citation.at <= at) {
            let by = match citation.by {
                // `[n]` stands in the text.
                CitedBy::Model => {
                    n_skipped = 2 + citation.n.max(1).ilog10() + 1;
                    0
                }
                CitedBy::Comparison => BY_COMPARISON,
            };
            out.extend(char::from_u32(FIRST + by + citation.n % BY_COMPARISON));
        }
        match c {
            _ if n_skipped > 0 => n_skipped -= 1,
            Some(c) if !is_mark(c) => out.push(c),
            _ => {}
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::{Attr, Element, Node, Tag, parse, plain_text};

    fn by_model(n: u32, at: u32) -> Citation {
        Citation { n, at, by: CitedBy::Model }
    }

    fn tags(nodes: &[Node], found: &mut Vec<(Tag, Vec<Attr>)>) {
        for node in nodes {
            if let Node::Element(Element { tag, attrs, children }) = node {
                found.push((*tag, attrs.clone()));
                tags(children, found);
            }
        }
    }

    #[test]
    fn citations_become_elements_and_never_links() {
        let text = "Ä [1](https://evil.example) and **two** [12].\u{e003}";
        let shown = marked(text, &[by_model(12, 40), by_model(1, 2)]);
        let nodes = parse(&shown);
        let mut found = Vec::new();
        tags(&nodes, &mut found);
        let expected = [
            (Tag::Paragraph, vec![]),
            (Tag::Citation, vec![Attr::Source { n: 1, by_comparison: false }]),
            (Tag::Strong, vec![]),
            (Tag::Citation, vec![Attr::Source { n: 12, by_comparison: false }]),
        ];
        assert_eq!(found, expected);
        assert_eq!(plain_text(&nodes), "Ä 1(https://evil.example) and two 12.");
    }

    #[test]
    fn what_a_comparison_found_stands_behind_its_sentence() {
        let citation = Citation { n: 2, at: 4, by: CitedBy::Comparison };
        let shown = marked("One.", &[citation]);
        let last = shown.chars().last().and_then(citation_of);
        assert_eq!((shown.chars().count(), last), (5, Some((2, true))));
        assert_eq!(unmarked(&shown), "One.");
    }

    #[test]
    fn code_shows_no_citation() {
        let nodes = parse("`a\u{e001}b` and\n\n```\nc\u{e002}\n```");
        let mut found = Vec::new();
        tags(&nodes, &mut found);
        assert!(found.iter().all(|(tag, _)| *tag != Tag::Citation), "{nodes:?}");
        assert_eq!(plain_text(&nodes), "ab and\nc");
    }
}
