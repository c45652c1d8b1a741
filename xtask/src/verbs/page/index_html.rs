//! Reads Trunk's tags in `index.html` and writes what they stand for.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, bail};

/// A `<link data-trunk …>` or `<script data-trunk …></script>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Where it stands in the source, with a script's closing tag.
    pub at: Range<usize>,
    pub what: What,
}

/// What a tag asks for. Paths are relative to `index.html`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The bin that is the page.
    App { bin: String },
    /// The bin that runs in a dedicated worker.
    Worker { bin: String },
    /// A bin that is fetched when it is first needed. The crate's manifest is named.
    Later { bin: String, manifest: String },
    /// A style sheet.
    Css { href: String },
    /// An icon, with the tag's `type` and `sizes`.
    Icon { href: String, rest: String },
    /// A script that is loaded as a module.
    Script { src: String },
}

/// Every tag with `data-trunk`, in order. Fails on one that asks for something unknown.
pub fn tags(html: &str) -> anyhow::Result<Vec<Tag>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = html[from..].find('<').map(|at| from + at) {
        if let Some(length) = html[start..].strip_prefix("<!--").and_then(|rest| rest.find("-->")) {
            from = start + "<!--".len() + length + "-->".len();
            continue;
        }
        let Some(length) = tag_length(&html[start..]) else { break };
        let mut end = start + length;
        let text = &html[start..end];
        from = end;
        let name_length =
            text[1..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len() - 1);
        let name = &text[1..=name_length];
        let attributes = attributes(&text[1 + name_length..text.len() - 1]);
        if !attributes.contains_key("data-trunk") {
            continue;
        }
        if name == "script" {
            let close = "</script>";
            let length = html[end..].find(close).context("a <script data-trunk> without an end")?;
            end += length + close.len();
            from = end;
        }
        let what = what(name, &attributes).with_context(|| format!("in index.html: {text}"))?;
        found.push(Tag { at: start..end, what });
    }
    Ok(found)
}

/// The bins of the web crate that the tags name, the page's first.
pub fn bins(tags: &[Tag]) -> Vec<String> {
    let bin = |tag: &Tag| match &tag.what {
        What::App { bin } | What::Worker { bin } => Some(bin.clone()),
        _ => None,
    };
    tags.iter().filter_map(bin).collect()
}

/// The bins that are fetched when needed, each with its crate's manifest.
pub fn later(tags: &[Tag]) -> Vec<(String, String)> {
    let later = |tag: &Tag| match &tag.what {
        What::Later { bin, manifest } => Some((bin.clone(), manifest.clone())),
        _ => None,
    };
    tags.iter().filter_map(later).collect()
}

/// The source with each tag replaced by what `write` makes of it.
pub fn replace(html: &str, tags: &[Tag], write: impl Fn(&What) -> String) -> String {
    let mut out = String::with_capacity(html.len());
    let mut from = 0;
    for tag in tags {
        out.push_str(&html[from..tag.at.start]);
        out.push_str(&write(&tag.what));
        from = tag.at.end;
    }
    out.push_str(&html[from..]);
    out
}

/// Bytes from `<` to the matching `>`, quotes respected.
fn tag_length(html: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in html.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '>') => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn attributes(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let length =
            rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len()).max(1);
        let name = rest[..length].to_ascii_lowercase();
        rest = rest[length..].trim_start();
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| ['"', '\''].contains(c));
            let (start, length) = match quote {
                Some(quote) => (1, after[1..].find(quote).unwrap_or(after.len() - 1)),
                None => (0, after.find(char::is_whitespace).unwrap_or(after.len())),
            };
            value = after[start..start + length].to_owned();
            rest = after[(start + length + start).min(after.len())..].trim_start();
        }
        if name != "/" {
            found.insert(name, value);
        }
    }
    found
}

fn what(name: &str, attributes: &BTreeMap<String, String>) -> anyhow::Result<What> {
    let asked = |key: &str| {
        attributes.get(key).cloned().with_context(|| format!("the attribute {key} is missing"))
    };
    if name == "script" {
        return Ok(What::Script { src: asked("src")? });
    }
    match asked("rel")?.as_str() {
        "rust" => {
            let bin = asked("data-bin")?;
            match attributes.get("data-type").map_or("main", String::as_str) {
                "main" => Ok(What::App { bin }),
                "worker" => Ok(What::Worker { bin }),
                "later" => Ok(What::Later { bin, manifest: asked("href")? }),
                other => bail!("data-type=\"{other}\" is none of `main`, `worker`, `later`"),
            }
        }
        "css" => Ok(What::Css { href: asked("href")? }),
        "icon" => {
            let rest: String = ["type", "sizes"]
                .into_iter()
                .filter_map(|key| Some(format!(" {key}=\"{}\"", attributes.get(key)?)))
                .collect();
            Ok(What::Icon { href: asked("href")?, rest })
        }
        other => bail!("rel=\"{other}\" is not known here: rust, css or icon"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"<html><head>
<!-- <link data-trunk rel="nonsense"> -->
<meta name="a" content="b > c">
<link data-trunk rel="rust" href="web/Cargo.toml" data-bin="app" />
<link data-trunk rel='rust' data-bin=worker data-type="worker">
<link data-trunk rel="css" href="web/assets/app.css">
<link data-trunk rel="rust" href="web/g/Cargo.toml" data-bin="g" data-type="later">
<link rel="icon" href="x.svg">
<script data-trunk src="web/js/a.js"></script></head></html>"#;

    #[test]
    fn finds_the_tags_and_nothing_else() {
        let tags = tags(SOURCE).unwrap();
        let what: Vec<What> = tags.iter().map(|tag| tag.what.clone()).collect();
        let expected = [
            What::App { bin: "app".into() },
            What::Worker { bin: "worker".into() },
            What::Css { href: "web/assets/app.css".into() },
            What::Later { bin: "g".into(), manifest: "web/g/Cargo.toml".into() },
            What::Script { src: "web/js/a.js".into() },
        ];
        assert_eq!(what, expected);
        assert_eq!(bins(&tags), ["app", "worker"]);
        assert_eq!(later(&tags), [("g".to_owned(), "web/g/Cargo.toml".to_owned())]);
    }

    #[test]
    fn replaces_only_the_tags() {
        let tags = tags(SOURCE).unwrap();
        let out = replace(SOURCE, &tags, |_| "X".to_owned());
        assert_eq!(out.matches("\nX").count(), 5);
        assert!(out.contains(r#"<link rel="icon" href="x.svg">"#));
        assert!(out.ends_with("\nX</head></html>"));
    }

    #[test]
    fn refuses_what_it_does_not_know_by_name() {
        let error = tags(r#"<link data-trunk rel="sass" href="a.scss">"#).unwrap_err();
        assert!(format!("{error:#}").contains("sass"));
    }
}
