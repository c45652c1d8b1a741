//! From Markdown's nodes, of an answer or an announcement, to the document: made by `createElement` and text nodes, and changed only
//! where the answer grew.
//!
//! Formulas and code get their look from a Wasm of their own (`web/js/render_entry.js`), which is fetched
//! with the first one: a formula once it is closed, code once its block is settled, so that nothing that
//! still grows is painted twice.

use js_sys::Array;
use portico_page::i18n::{Lang, Text};
use portico_page::markdown::{Advance, Align, Attr, Element, MarkdownStream, Node, Tag, parse};
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element as DomElement, Node as DomNode, Text as DomText};

/// What waits for its look.
const FORMULAS: &str = "[data-maths]:not([data-painted])";
const CODE: &str = "code[data-language]:not([data-painted])";

#[wasm_bindgen]
extern "C" {
    /// Of `web/js/start.js`: later, if ever; until then the text stands as it was written.
    #[wasm_bindgen(js_name = paintLater)]
    fn paint_later(places: Array);
}

/// An answer's rendered text.
pub struct MarkdownDom {
    container: DomElement,
    lang: Lang,
    /// A link is a button that makes it one.
    hides_links: bool,
    stream: MarkdownStream,
    /// Blocks in the container that are settled.
    settled: Vec<Node>,
    /// Blocks behind them that may still change.
    open: Vec<Node>,
}

impl MarkdownDom {
    /// Fills `container`, which nobody else may touch.
    pub fn new(container: DomElement, lang: Lang, hides_links: bool) -> Self {
        container.set_text_content(None);
        let stream = MarkdownStream::default();
        Self { container, lang, hides_links, stream, settled: Vec::new(), open: Vec::new() }
    }

    /// Shows a text that grew; only its end is parsed. A text that is not the last one with more
    /// behind it is shown anew.
    pub fn grow(&mut self, text: &str) {
        match text.strip_prefix(self.stream.text()) {
            Some(more) => self.stream.push(more),
            None => {
                self.stream = MarkdownStream::default();
                self.stream.push(text);
                self.replace_all(Vec::new());
            }
        }
        if let Some(Advance { settled, open }) = self.stream.advance() {
            let tail: Vec<Node> = settled.iter().chain(&open).cloned().collect();
            let first = self.settled.len();
            self.patch(first, &tail);
            self.settled.extend(settled);
            self.open = open;
            self.paint(first);
        }
    }

    /// Shows a whole text.
    pub fn show(&mut self, text: &str) {
        if self.stream.text() != text {
            self.stream = MarkdownStream::default();
            self.stream.push(text);
        }
        self.replace_all(parse(text));
    }

    fn replace_all(&mut self, nodes: Vec<Node>) {
        let mut old = std::mem::take(&mut self.settled);
        old.append(&mut self.open);
        self.open = old;
        self.patch(0, &nodes);
        self.settled = nodes;
        self.open = Vec::new();
        self.paint(0);
    }

    /// Has what stands from block `first` on painted, as far as it will not grow.
    fn paint(&self, first: usize) {
        let blocks = self.container.children();
        let places = Array::new();
        let look = |block: &DomElement, selector: &str| {
            if let Ok(found) = block.query_selector_all(selector) {
                (0..found.length()).filter_map(|i| found.item(i)).for_each(|place| {
                    places.push(&place);
                });
            }
        };
        for at in first..self.settled.len() + self.open.len() {
            let Some(block) = blocks.item(at as u32) else { break };
            look(&block, FORMULAS);
            if at < self.settled.len() {
                look(&block, CODE);
            }
        }
        if places.length() > 0 {
            paint_later(places);
        }
    }

    /// Makes the blocks from `first` on, now `self.open`, into `new`.
    fn patch(&self, first: usize, new: &[Node]) {
        let document = web_sys::window().and_then(|window| window.document());
        let Some(document) = document else { return };
        let painter = Painter { document, lang: self.lang, hides_links: self.hides_links };
        // The document refuses nothing that is asked of it here; if it does, the text is behind.
        if let Err(error) = painter.patch_children(&self.container, first, &self.open, new) {
            web_sys::console::error_1(&error);
        }
    }
}

struct Painter {
    document: Document,
    lang: Lang,
    hides_links: bool,
}

impl Painter {
    /// Children of `parent` from `first` on are `old`; afterwards they are `new`.
    fn patch_children(
        &self,
        parent: &DomNode,
        first: usize,
        old: &[Node],
        new: &[Node],
    ) -> Result<(), JsValue> {
        let children = parent.child_nodes();
        let common = old.len().min(new.len());
        for i in 0..common {
            if old[i] != new[i]
                && let Some(child) = children.item((first + i) as u32)
            {
                self.patch_node(parent, &child, &old[i], &new[i])?;
            }
        }
        for _ in common..old.len() {
            if let Some(child) = children.item((first + common) as u32) {
                parent.remove_child(&child)?;
            }
        }
        for node in &new[common..] {
            parent.append_child(&self.make(node)?)?;
        }
        Ok(())
    }

    fn patch_node(
        &self,
        parent: &DomNode,
        child: &DomNode,
        old: &Node,
        new: &Node,
    ) -> Result<(), JsValue> {
        match (old, new) {
            (Node::Text(before), Node::Text(after)) => {
                if let Some(text) = child.dyn_ref::<DomText>() {
                    match after.strip_prefix(before.as_str()) {
                        // A selection in the text stays.
                        Some(more) => text.append_data(more)?,
                        None => text.set_data(after),
                    }
                }
                Ok(())
            }
            (Node::Element(before), Node::Element(after))
                if before.tag == after.tag && before.attrs == after.attrs && !is_painted(child) =>
            {
                let inner = match inner_selector(after.tag) {
                    Some(selector) => child
                        .dyn_ref::<DomElement>()
                        .and_then(|outer| outer.query_selector(selector).ok()?)
                        .map(DomNode::from),
                    None => Some(child.clone()),
                };
                match inner {
                    Some(inner) => {
                        self.patch_children(&inner, 0, &before.children, &after.children)
                    }
                    None => Ok(()),
                }
            }
            _ => parent.replace_child(&self.make(new)?, child).map(|_| ()),
        }
    }

    fn make(&self, node: &Node) -> Result<DomNode, JsValue> {
        match node {
            Node::Text(text) => Ok(self.document.create_text_node(text).into()),
            Node::Element(element) => match element.tag {
                Tag::CodeBlock => self.make_code_block(element),
                Tag::Table => self.make_table(element),
                _ => Ok(self.make_plain(element)?.into()),
            },
        }
    }

    fn make_plain(&self, element: &Element) -> Result<DomElement, JsValue> {
        let name = match element.tag {
            Tag::Link if self.hides_links => "button",
            tag => tag.html_name(),
        };
        let made = self.document.create_element(name)?;
        if name == "button" {
            made.set_attribute("type", "button")?;
        }
        match element.tag {
            Tag::Formula => made.set_attribute("data-maths", "line")?,
            Tag::FormulaBlock => {
                made.set_attribute("data-maths", "block")?;
                // A long one scrolls, so the keyboard must reach it.
                made.set_attribute("tabindex", "0")?;
                made.set_attribute("role", "group")?;
                made.set_attribute("aria-label", Text::Formula.get(self.lang))?;
            }
            Tag::Note => made.set_class_name("note"),
            _ => {}
        }
        for attr in &element.attrs {
            match attr {
                Attr::Href(href) if self.hides_links => {
                    made.set_class_name("link-shown-later");
                    made.set_attribute("data-link", href)?;
                }
                Attr::Source { n, by_comparison } => {
                    let n = n.to_string();
                    made.set_class_name(if *by_comparison { "cite compared" } else { "cite" });
                    made.set_attribute("data-source", &n)?;
                    let label = Text::SourceN.fill(self.lang, &[("n", &n)]);
                    made.set_attribute("aria-label", &label)?;
                }
                Attr::Href(href) => {
                    made.set_attribute("href", href)?;
                    made.set_attribute("target", "_blank")?;
                    made.set_attribute("rel", "noopener noreferrer nofollow")?;
                }
                Attr::Start(first) => made.set_attribute("start", &first.to_string())?,
                Attr::Align(Align::Center) => made.set_class_name("center"),
                Attr::Align(Align::End) => made.set_class_name("end"),
                Attr::Align(Align::Start) | Attr::Language(_) => {}
            }
        }
        if let Tag::Heading(level) = element.tag {
            made.set_class_name(&format!("level-{level}"));
        }
        for child in &element.children {
            made.append_child(&self.make(child)?)?;
        }
        Ok(made)
    }

    /// `div.code > div.code-head > (span, button[data-copy-code]); pre > code`. The button is
    /// answered by the handler of bin `app` for the whole page.
    fn make_code_block(&self, element: &Element) -> Result<DomNode, JsValue> {
        let create = |name: &str, class: &str| -> Result<DomElement, JsValue> {
            let made = self.document.create_element(name)?;
            made.set_class_name(class);
            Ok(made)
        };
        let head = create("div", "code-head")?;
        let label = create("span", "code-language")?;
        let language = element.attrs.iter().find_map(|attr| match attr {
            Attr::Language(language) => Some(language.as_str()),
            _ => None,
        });
        label.set_text_content(Some(language.unwrap_or("Text")));
        let copy = create("button", "button quiet small")?;
        copy.set_attribute("type", "button")?;
        copy.set_attribute("data-copy-code", "")?;
        copy.set_attribute("aria-label", Text::CopyCode.get(self.lang))?;
        copy.set_text_content(Some(Text::Copy.get(self.lang)));
        head.append_child(&label)?;
        head.append_child(&copy)?;

        let pre = create("pre", "")?;
        // Long lines scroll, so the keyboard must reach them.
        pre.set_attribute("tabindex", "0")?;
        let code = self.document.create_element("code")?;
        if let Some(language) = language {
            code.set_attribute("data-language", language)?;
        }
        for child in &element.children {
            code.append_child(&self.make(child)?)?;
        }
        pre.append_child(&code)?;
        let outer = create("div", "code")?;
        outer.append_child(&head)?;
        outer.append_child(&pre)?;
        Ok(outer.into())
    }

    /// A wide table scrolls by itself, not the page.
    fn make_table(&self, element: &Element) -> Result<DomNode, JsValue> {
        let outer = self.document.create_element("div")?;
        outer.set_class_name("table");
        outer.set_attribute("tabindex", "0")?;
        outer.set_attribute("role", "region")?;
        outer.set_attribute("aria-label", Text::Table.get(self.lang))?;
        outer.append_child(&*self.make_plain(element)?)?;
        Ok(outer.into())
    }
}

/// Whether there is more below than the node's own children, so that only all of it can be changed.
fn is_painted(child: &DomNode) -> bool {
    let Some(element) = child.dyn_ref::<DomElement>() else { return false };
    element.has_attribute("data-maths")
        || element.class_name() == "code"
            && element.query_selector("[data-painted]").is_ok_and(|found| found.is_some())
}

/// Where a node's children are, if it is wrapped.
fn inner_selector(tag: Tag) -> Option<&'static str> {
    match tag {
        Tag::CodeBlock => Some("code"),
        Tag::Table => Some("table"),
        _ => None,
    }
}
