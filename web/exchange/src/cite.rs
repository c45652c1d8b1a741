//! What do ChatGPT's marks in a text point at? They stand between characters of private use, or in `【…】`;
//! what they mean lies beside the text. A mark becomes the links or the words that the person saw.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::LeftOut;
use crate::field::{array, string};
use crate::said::link;

const OPEN: char = '\u{e200}';
const CLOSE: char = '\u{e201}';
const BETWEEN: char = '\u{e202}';
const OLD_OPEN: char = '【';

/// The text with its marks resolved, and sources that no mark names below it.
pub fn with_sources(text: &str, metadata: &Value, left_out: &mut BTreeSet<LeftOut>) -> String {
    let (mut text, unplaced) = by_place(text, array(metadata, "citations"));
    let references = array(metadata, "content_references");
    for reference in references {
        let Some(mark) = reference.get("matched_text").and_then(Value::as_str) else { continue };
        if mark.contains([OPEN, OLD_OPEN])
            && let Some(shown) = shown(reference)
        {
            text = replaced(&text, mark, &shown);
        }
    }
    text = unresolved(&text, left_out);
    let mut more: Vec<String> = Vec::new();
    let sources = references.iter().flat_map(|reference| array(reference, "sources"));
    for source in sources.chain(unplaced) {
        let url = string(source, "url");
        if !url.is_empty() && !text.contains(url) && !more.iter().any(|line| line.contains(url)) {
            more.push(format!("- {}", link(string(source, "title"), url)));
        }
    }
    if more.is_empty() { text } else { format!("{}\n\n{}", text.trim_end(), more.join("\n")) }
}

/// The older kind: each citation says from which character to which its mark goes. Those at whose place no
/// mark stands are given back.
fn by_place<'v>(text: &str, citations: &'v [Value]) -> (String, Vec<&'v Value>) {
    let mut characters: Vec<char> = text.chars().collect();
    let place = |citation: &Value| {
        let at = |name: &str| citation.get(name).and_then(Value::as_u64).map(|at| at as usize);
        let (from, to) = (at("start_ix")?, at("end_ix")?);
        let is_mark = characters.get(from).is_some_and(|c| [OPEN, OLD_OPEN].contains(c));
        (is_mark && from < to && to <= characters.len()).then_some((from, to))
    };
    let mut marks: Vec<(usize, usize, String)> = Vec::new();
    let mut unplaced = Vec::new();
    for citation in citations {
        let Some(source) = citation.get("metadata") else { continue };
        let is_free =
            |from: usize, to: usize| marks.iter().all(|mark| mark.1 <= from || to <= mark.0);
        match (place(citation).filter(|(from, to)| is_free(*from, *to)), shown(source)) {
            (Some((from, to)), Some(shown)) => marks.push((from, to, shown)),
            _ => unplaced.push(source),
        }
    }
    // From the end, so that the places before stay.
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.0));
    for (from, to, shown) in marks {
        let is_apart = from.checked_sub(1).is_none_or(|at| characters[at].is_whitespace());
        let shown = if is_apart { shown } else { format!(" {shown}") };
        characters.splice(from..to, shown.chars());
    }
    (characters.into_iter().collect(), unplaced)
}

/// What a reference shows: its pages or its file, in parentheses; else its words. None: it says nothing.
fn shown(reference: &Value) -> Option<String> {
    let pages = array(reference, "items")
        .iter()
        .flat_map(|item| std::iter::once(item).chain(array(item, "supporting_websites")));
    let own = std::iter::once(reference);
    let mut links: Vec<String> = Vec::new();
    for page in pages.chain(own) {
        let names = ["attribution", "title", "name"].map(|name| string(page, name));
        let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let url = string(page, "url");
        let is_file = string(page, "type") == "file" && !name.is_empty();
        if !url.is_empty() || is_file {
            let link = link(name, url);
            if !links.contains(&link) {
                links.push(link);
            }
        }
    }
    if !links.is_empty() {
        return Some(format!("({})", links.join(", ")));
    }
    Some(string(reference, "alt")).filter(|alt| !alt.is_empty()).map(str::to_owned)
}

fn replaced(text: &str, mark: &str, shown: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split(mark);
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        if shown.starts_with('(') && !out.is_empty() && !out.ends_with(char::is_whitespace) {
            out.push(' ');
        }
        out.push_str(shown);
        out.push_str(part);
    }
    out
}

/// Marks of which nothing else is known: what can be read of them themselves.
fn unresolved(text: &str, left_out: &mut BTreeSet<LeftOut>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        out.push_str(before);
        let Some((mark, behind)) = after.split_once(CLOSE) else {
            rest = after;
            break;
        };
        let parts: Vec<&str> = mark.split(BETWEEN).collect();
        let json = || parts.get(1).and_then(|text| serde_json::from_str::<Value>(text).ok());
        match parts[0] {
            "url" => out.push_str(&link(parts.get(1).unwrap_or(&""), parts.get(2).unwrap_or(&""))),
            "link_title" => out.push_str(parts.get(1).unwrap_or(&"")),
            // Its kind, its name, what it is.
            "entity" => {
                let entity = json();
                let name = entity.as_ref().and_then(|one| one.get(1)).and_then(Value::as_str);
                out.push_str(name.unwrap_or_default());
            }
            "genui" | "genu" => match json().as_ref().and_then(formula) {
                Some(formula) => out.push_str(&format!("$${formula}$$")),
                None => _ = left_out.insert(LeftOut::Content("genui".to_owned())),
            },
            "cite" | "filecite" => {
                left_out.insert(LeftOut::Citation);
                // Nothing stands where it stood.
                if behind.starts_with(['.', ',', ';', ' ', '\n']) || behind.is_empty() {
                    out.truncate(out.trim_end_matches(' ').len());
                }
            }
            kind => _ = left_out.insert(LeftOut::Content(kind.to_owned())),
        }
        rest = behind;
    }
    out.push_str(rest);
    out.replace([OPEN, CLOSE, BETWEEN], "")
}

/// The formula of a block that is drawn.
fn formula(block: &Value) -> Option<&str> {
    let (name, inner) = block.as_object()?.iter().next()?;
    name.starts_with("math").then_some(())?;
    inner.get("content").and_then(Value::as_str)
}
