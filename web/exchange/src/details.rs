//! Which parts of an answer of Open WebUI's are no words? What the model thought, called and computed stands
//! between them as `<details type="…" …>`, escaped as HTML.

use std::collections::BTreeMap;

const OPENING: &str = "<details";
const CLOSING: &str = "</details>";

#[derive(Debug, PartialEq)]
pub enum Part<'t> {
    Words(&'t str),
    Details(Details),
}

#[derive(Debug, Default, PartialEq)]
pub struct Details {
    /// With `type` among them.
    pub attributes: BTreeMap<String, String>,
    /// Without its summary.
    pub body: String,
}

impl Details {
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// Blocks with a type; all others are words. One that does not end goes to the end.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut words_from, mut at) = (0, 0);
    while let Some(found) = text[at..].find(OPENING) {
        let from = at + found;
        at = from + OPENING.len();
        let Some((attributes, n_head)) = attributes(&text[at..]) else { continue };
        if !attributes.contains_key("type") {
            continue;
        }
        let body_from = at + n_head;
        let (body, next) = body(&text[body_from..]);
        parts.push(Part::Words(&text[words_from..from]));
        parts.push(Part::Details(Details { attributes, body }));
        at = body_from + next;
        words_from = at;
    }
    parts.push(Part::Words(&text[words_from..]));
    parts.retain(|part| !matches!(part, Part::Words(words) if words.trim().is_empty()));
    parts
}

/// A tag's attributes, from behind its name, and how many bytes it goes on.
fn attributes(text: &str) -> Option<(BTreeMap<String, String>, usize)> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix('>') {
            return Some((found, text.len() - behind.len()));
        }
        let (name, behind) = rest.split_once("=\"")?;
        if name.is_empty()
            || name.contains(|c: char| !c.is_ascii_alphanumeric() && !"-_:".contains(c))
        {
            return None;
        }
        let (value, behind) = behind.split_once('"')?;
        found.insert(name.to_owned(), unescaped(value));
        rest = behind;
    }
}

/// What stands in a block, and where the text goes on behind it.
fn body(text: &str) -> (String, usize) {
    let (mut depth, mut at) = (1, 0);
    let end = loop {
        let closing = text[at..].find(CLOSING).map(|found| at + found);
        let opening = text[at..].find(OPENING).map(|found| at + found);
        match (opening, closing) {
            (Some(open), Some(close)) if open < close => {
                depth += 1;
                at = open + OPENING.len();
            }
            (_, Some(close)) => {
                depth -= 1;
                at = close + CLOSING.len();
                if depth == 0 {
                    break close;
                }
            }
            (_, None) => {
                at = text.len();
                break at;
            }
        }
    };
    let inner = text[..end].trim_start();
    let inner = inner.strip_prefix("<summary>").and_then(|rest| rest.split_once("</summary>"));
    let inner = inner.map_or(&text[..end], |(_, rest)| rest);
    (unescaped(inner).trim().to_owned(), at)
}

fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    plain.replace("&#x27;", "'").replace("&#39;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let parts = parts(text).into_iter();
        parts
            .map(|part| match part {
                Part::Words(words) => words.trim().to_owned(),
                Part::Details(one) => format!("[{} {}]", one.get("type"), one.body),
            })
            .collect()
    }

    #[test]
    fn blocks_with_a_type_are_taken_out_and_all_else_stays() {
        let text = "A <details type=\"reasoning\" done=\"true\">\n<summary>S</summary>\n&gt; a &amp;lt; b\n</details> B";
        assert_eq!(words(text), ["A", "[reasoning > a &lt; b]", "B"]);
        for plain in
            ["<details><summary>s</summary>x</details>", "a <details b", "<details type=x>"]
        {
            assert_eq!(words(plain), [plain]);
        }
        let nested = "<details type=\"a\"><details>x</details>y</details>z";
        assert_eq!(words(nested), ["[a <details>x</details>y]", "z"]);
        assert_eq!(words("<details type=\"a\">open"), ["[a open]"]);
    }

    #[test]
    fn attributes_are_what_was_escaped() {
        let text = "<details type=\"tool_calls\" arguments=\"{&quot;a&quot;: &quot;x &gt; y&quot;}\" files=\"\">\n</details>";
        let [Part::Details(one)] = &parts(text)[..] else { panic!("one block") };
        assert_eq!((one.get("arguments"), one.get("files")), ("{\"a\": \"x > y\"}", ""));
    }
}
