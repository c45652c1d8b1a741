//! Which MathML may stand in the page?

use serde_json::{Map, Value, json};

/// Presentation elements of MathML Core alone: nothing that links, acts, loads or holds other markup.
const ELEMENTS: [&str; 28] = [
    "math",
    "mi",
    "mn",
    "mo",
    "ms",
    "mtext",
    "mspace",
    "mrow",
    "mfrac",
    "msqrt",
    "mroot",
    "mstyle",
    "merror",
    "mpadded",
    "mphantom",
    "menclose",
    "msub",
    "msup",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mmultiscripts",
    "mprescripts",
    "none",
    "mtable",
    "mtr",
    "mtd",
];
const ATTRIBUTES: [&str; 27] = [
    "display",
    "displaystyle",
    "scriptlevel",
    "mathvariant",
    "stretchy",
    "symmetric",
    "fence",
    "separator",
    "form",
    "largeop",
    "movablelimits",
    "accent",
    "accentunder",
    "lspace",
    "rspace",
    "minsize",
    "maxsize",
    "width",
    "height",
    "depth",
    "voffset",
    "linethickness",
    "notation",
    "columnspan",
    "rowspan",
    "columnalign",
    "rowspacing",
];
const DEPTH_MAX: usize = 120;
const NODES_MAX: usize = 5_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Text(String),
    Element(Element),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub name: &'static str,
    pub attrs: Vec<(&'static str, String)>,
    pub children: Vec<Node>,
}

impl Element {
    /// `[name, {attribute: value}, [child or text, …]]`
    pub fn to_json(&self) -> Value {
        let attrs: Map<String, Value> = self
            .attrs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
            .collect();
        let children: Vec<Value> = self
            .children
            .iter()
            .map(|child| match child {
                Node::Text(text) => Value::from(text.as_str()),
                Node::Element(element) => element.to_json(),
            })
            .collect();
        json!([self.name, attrs, children])
    }
}

/// Reads one `<math>` of well-formed MathML. Attributes that are not allowed are left out, an element that
/// is not allowed refuses all of it.
///
/// # Errors
/// What is wrong.
pub fn read(mathml: &str) -> Result<Element, &'static str> {
    let mut open: Vec<Element> = Vec::new();
    let mut rest = mathml;
    let mut n_nodes = 0;
    loop {
        let Some(at) = tag_start(rest) else { return Err("an element stays open") };
        if at > 0 {
            let text = unescaped(&rest[..at]);
            match open.last_mut() {
                Some(element) => element.children.push(Node::Text(text)),
                None => return Err("text stands outside of the formula"),
            }
        }
        let (tag, behind) = rest[at + 1..].split_once('>').ok_or("a tag is not closed")?;
        rest = behind;
        n_nodes += 1;
        if n_nodes > NODES_MAX || open.len() > DEPTH_MAX {
            return Err("the formula is too large");
        }
        let closed = if let Some(name) = tag.strip_prefix('/') {
            let element = open.pop().ok_or("an element is closed that was not open")?;
            if element.name != name.trim() {
                return Err("an element is closed by another one's name");
            }
            Some(element)
        } else if let Some(tag) = tag.strip_suffix('/') {
            Some(opened(tag)?)
        } else {
            open.push(opened(tag)?);
            None
        };
        if let Some(element) = closed {
            match open.last_mut() {
                Some(parent) => parent.children.push(Node::Element(element)),
                None if rest.is_empty() && element.name == "math" => return Ok(element),
                None => return Err("there is more than one formula"),
            }
        }
    }
}

/// Where the next tag begins. The writer leaves the operator `<` as it is, before a tag.
fn tag_start(text: &str) -> Option<usize> {
    let is_tag =
        |at: &usize| text[at + 1..].starts_with(|c: char| c == '/' || c.is_ascii_alphabetic());
    text.match_indices('<').map(|(at, _)| at).find(is_tag)
}

/// `name a="b" c="d"`
fn opened(tag: &str) -> Result<Element, &'static str> {
    let tag = tag.trim();
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let name = ELEMENTS.iter().find(|known| **known == name).ok_or("an element is not allowed")?;
    let mut attrs = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(Element { name, attrs, children: Vec::new() });
        }
        let (key, behind) = rest.split_once("=\"").ok_or("an attribute has no value")?;
        let (value, behind) = behind.split_once('"').ok_or("an attribute's value is not closed")?;
        rest = behind;
        let value = unescaped(value);
        let key = key.trim();
        if let Some(known) = ATTRIBUTES.iter().find(|known| **known == key) {
            attrs.push((*known, value));
        } else if key == "class" && value.split(' ').all(is_table_class) {
            attrs.push(("class", value));
        }
    }
}

/// Classes of pulldown-latex's tables, for which the page has a style.
fn is_table_class(class: &str) -> bool {
    (class.starts_with("menv-") || class.starts_with("cell-"))
        && class.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// The characters that a text stands for. The writer leaves the operator `&` as it is.
fn unescaped(text: &str) -> String {
    let names = [("lt;", '<'), ("gt;", '>'), ("amp;", '&'), ("quot;", '"'), ("apos;", '\'')];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        let named = names.iter().find_map(|(name, c)| Some((behind.strip_prefix(name)?, *c)));
        let (behind, c) = named.unwrap_or((behind, '&'));
        out.push(c);
        rest = behind;
    }
    out.push_str(rest);
    out
}
