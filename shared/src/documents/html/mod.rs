//! What does a page say? Read tag by tag, as far as that goes without a browser's tree.

mod blocks;
mod entities;

use super::{Builder, Extracted};

pub use blocks::HtmlBlocks;
use entities::unescape;

/// The main content of an HTML page, or of a piece of one.
pub fn html(text: &str) -> Extracted {
    let has_main = find_from(text, 0, "<main").is_some();
    let extracted = read(text, has_main, false);
    // A page that is nothing but navigation is read as it is.
    if extracted.blocks.is_empty() { read(text, false, true) } else { extracted }
}

fn read(text: &str, only_main: bool, keeps_all: bool) -> Extracted {
    let mut builder = Builder::default();
    let mut blocks = HtmlBlocks::new(&mut builder, keeps_all);
    let mut in_main = !only_main;
    let mut in_title = false;
    let mut at = 0;
    while at < text.len() {
        let tag_at = find_tag(text, at);
        if in_main || in_title {
            blocks.text(&unescape(&text[at..tag_at]));
        }
        let Some(tag) = Tag::read(text, tag_at) else { break };
        at = tag.end;
        match tag.name.as_str() {
            "" => {}
            name @ ("script" | "style") if !tag.is_end => {
                let end = find_from(text, at, &format!("</{name}"));
                at = end.unwrap_or(text.len());
            }
            name => {
                in_title = (in_title || name == "title") && !(name == "title" && tag.is_end);
                in_main |= name == "main" && !tag.is_end;
                match (in_main || name == "title", tag.is_end) {
                    (true, false) => blocks.open(name, &|wanted| tag.attribute(wanted)),
                    (true, true) => blocks.close(name),
                    (false, _) => {}
                }
                if only_main && name == "main" && tag.is_end {
                    break;
                }
            }
        }
    }
    blocks.finish();
    builder.finish()
}

/// Where the next tag or comment begins; the end if there is none.
fn find_tag(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(found) = text[at..].find('<') {
        let next = text.as_bytes().get(at + found + 1);
        if next.is_some_and(|next| next.is_ascii_alphabetic() || b"/!?".contains(next)) {
            return at + found;
        }
        at += found + 1;
    }
    text.len()
}

/// `word` (ASCII, in lower case) from `from` on, in whatever case.
fn find_from(text: &str, from: usize, word: &str) -> Option<usize> {
    let bytes = text.as_bytes().get(from..)?;
    let found = bytes
        .windows(word.len())
        .position(|window| window.eq_ignore_ascii_case(word.as_bytes()))?;
    Some(from + found)
}

struct Tag<'a> {
    name: String,
    is_end: bool,
    attributes: Vec<(&'a str, &'a str)>,
    /// Where the text goes on.
    end: usize,
}

impl<'a> Tag<'a> {
    /// The tag at `at`; without a name for comments and declarations, `None` at the end of the text.
    fn read(text: &'a str, at: usize) -> Option<Self> {
        let rest = text.get(at + 1..)?;
        let nothing =
            |end| Self { name: String::new(), is_end: false, attributes: Vec::new(), end };
        if rest.starts_with("!--") {
            return Some(nothing(find_from(text, at + 4, "-->").map_or(text.len(), |end| end + 3)));
        }
        if rest.starts_with(['!', '?']) {
            return Some(nothing(rest.find('>').map_or(text.len(), |end| at + end + 2)));
        }
        let is_end = rest.starts_with('/');
        let from = at + 1 + usize::from(is_end);
        let after_name = |c: char| c.is_ascii_whitespace() || c == '>' || c == '/';
        let name_end = text[from..].find(after_name).map_or(text.len(), |end| from + end);
        let name = text[from..name_end].to_ascii_lowercase();
        let (attributes, end) = attributes(text, name_end);
        Some(Self { name, is_end, attributes, end })
    }

    fn attribute(&self, wanted: &str) -> Option<String> {
        let found = self.attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| unescape(value).into_owned())
    }
}

/// The attributes from `at` on, and where the text goes on behind the tag.
fn attributes(text: &str, mut at: usize) -> (Vec<(&str, &str)>, usize) {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    loop {
        while bytes.get(at).is_some_and(|b| b.is_ascii_whitespace() || *b == b'/') {
            at += 1;
        }
        match bytes.get(at) {
            None => return (found, text.len()),
            Some(b'>') => return (found, at + 1),
            Some(_) => {}
        }
        let start = at;
        while bytes.get(at).is_some_and(|b| !b.is_ascii_whitespace() && !b"=>/".contains(b)) {
            at += 1;
        }
        // An equals sign without a name.
        at = at.max(start + usize::from(bytes[start] == b'='));
        let name = &text[start..at];
        let mut behind = at;
        while bytes.get(behind).is_some_and(u8::is_ascii_whitespace) {
            behind += 1;
        }
        if bytes.get(behind) != Some(&b'=') {
            found.push((name, ""));
            continue;
        }
        at = behind + 1;
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let quote = bytes.get(at).copied().filter(|quote| b"\"'".contains(quote));
        let start = at + usize::from(quote.is_some());
        let ends = |b: &u8| match quote {
            Some(quote) => *b == quote,
            None => b.is_ascii_whitespace() || *b == b'>',
        };
        let rest = bytes.get(start..).unwrap_or_default();
        let end = rest.iter().position(ends).map_or(text.len(), |end| start + end);
        found.push((name, text.get(start..end).unwrap_or_default()));
        at = end + usize::from(quote.is_some());
    }
}
