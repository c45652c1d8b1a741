//! pulldown-cmark's events → [`Node`]s.

use std::ops::Range;

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, Options, Parser, Tag as MdTag};

use super::link::{LinkTarget, link_target};
use super::maths::{Marked, Written};
use super::node::{Align, Attr, Element, Node, Tag};
use crate::cite::{citation_of, unmarked};

/// Elements nested deeper are flattened into the one at this depth, so that no answer can exhaust
/// the stack of those who walk the tree.
const MAX_DEPTH: usize = 24;

/// A block of the document's outermost level and where its source stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopLevel {
    pub node: Node,
    /// Bytes of the source.
    pub range: Range<usize>,
}

/// The document's blocks.
pub fn parse(source: &str) -> Vec<Node> {
    parse_top_level(source).into_iter().map(|block| block.node).collect()
}

/// The document's blocks with their places in the source.
pub fn parse_top_level(source: &str) -> Vec<TopLevel> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES;
    let marked = Marked::new(source, || block_starts(source, options));
    let options = options | Options::ENABLE_MATH;
    let mut builder = Builder::new(&marked);
    for (event, range) in Parser::new_ext(marked.text(), options).into_offset_iter() {
        builder.event(event, range);
    }
    builder.blocks
}

/// Where each of the document's blocks begins. Delimiters of formulas begin none and end none.
fn block_starts(source: &str, options: Options) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut depth = 0_usize;
    for (event, range) in Parser::new_ext(source, options).into_offset_iter() {
        match event {
            Event::Start(_) => {
                if depth == 0 {
                    starts.push(range.start);
                }
                depth += 1;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            _ if depth == 0 => starts.push(range.start),
            _ => {}
        }
    }
    starts
}

struct Builder<'a> {
    source: &'a Marked<'a>,
    blocks: Vec<TopLevel>,
    open: Vec<Open>,
    /// Open elements beyond [`MAX_DEPTH`].
    flattened: usize,
    alignments: Vec<Align>,
    column: usize,
    in_table_head: bool,
}

struct Open {
    element: Element,
    range: Range<usize>,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Marked<'a>) -> Self {
        Self {
            source,
            blocks: Vec::new(),
            open: Vec::new(),
            flattened: 0,
            alignments: Vec::new(),
            column: 0,
            in_table_head: false,
        }
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(_) => self.end(),
            Event::Text(text) => {
                let is_code = self.is_in_code();
                let text = self.source.written(&text, range.clone(), Written { is_code });
                self.text(&text, range);
            }
            Event::Code(code) => {
                let code = self.source.written_code(&code, range.clone());
                let code = unmarked(&code).into_owned();
                self.leaf(Node::element(Tag::Code, vec![Node::Text(code)]), range);
            }
            Event::Html(html) => {
                let html = self.source.written(&html, range.clone(), Written { is_code: true });
                self.text(&html, range);
            }
            Event::InlineHtml(html) if is_line_break(&html) => {
                self.leaf(Node::element(Tag::LineBreak, Vec::new()), range);
            }
            Event::InlineHtml(html) => {
                let html = self.source.written(&html, range.clone(), Written { is_code: true });
                self.text(&html, range);
            }
            Event::SoftBreak => self.text("\n", range),
            Event::HardBreak => self.leaf(Node::element(Tag::LineBreak, Vec::new()), range),
            Event::Rule => self.leaf(Node::element(Tag::Rule, Vec::new()), range),
            Event::TaskListMarker(done) => self.text(if done { "☑ " } else { "☐ " }, range),
            Event::FootnoteReference(name) => {
                let name = unmarked(&name).into_owned();
                self.leaf(Node::element(Tag::NoteMark, vec![Node::Text(name)]), range);
            }
            Event::InlineMath(tex) | Event::DisplayMath(tex) => {
                let tag = self.source.maths_tag(&range);
                let tex = self.source.written(&tex, range.clone(), Written { is_code: true });
                let tex = unmarked(&tex).into_owned();
                self.leaf(Node::element(tag, vec![Node::Text(tex)]), range);
            }
        }
    }

    fn is_in_code(&self) -> bool {
        self.open.last().is_some_and(|open| open.element.tag == Tag::CodeBlock)
    }

    fn start(&mut self, tag: MdTag<'_>, range: Range<usize>) {
        let element = self.element(tag);
        if self.open.len() >= MAX_DEPTH {
            self.flattened += 1;
        } else {
            self.open.push(Open { element, range });
        }
    }

    fn element(&mut self, tag: MdTag<'_>) -> Element {
        let mut attrs = Vec::new();
        let tag = match tag {
            MdTag::Heading { level, .. } => Tag::Heading(level as u8),
            MdTag::BlockQuote(_) => Tag::Quote,
            MdTag::CodeBlock(kind) => {
                if let CodeBlockKind::Fenced(info) = kind
                    && let Some(language) = language(&info)
                {
                    attrs.push(Attr::Language(language));
                }
                Tag::CodeBlock
            }
            MdTag::List(Some(first)) => {
                if first != 1 {
                    attrs.push(Attr::Start(first));
                }
                Tag::OrderedList
            }
            MdTag::List(None) => Tag::BulletList,
            MdTag::Item => Tag::ListItem,
            MdTag::Table(alignments) => {
                self.alignments = alignments.into_iter().map(align).collect();
                Tag::Table
            }
            MdTag::TableHead => {
                self.in_table_head = true;
                self.column = 0;
                Tag::TableHead
            }
            MdTag::TableRow => {
                self.in_table_head = false;
                self.column = 0;
                Tag::TableRow
            }
            MdTag::TableCell => {
                let align = self.alignments.get(self.column).copied().unwrap_or(Align::Start);
                self.column += 1;
                if align != Align::Start {
                    attrs.push(Attr::Align(align));
                }
                if self.in_table_head { Tag::HeadCell } else { Tag::Cell }
            }
            MdTag::Emphasis => Tag::Emphasis,
            MdTag::Strong => Tag::Strong,
            MdTag::Strikethrough => Tag::Strikethrough,
            // A remote image is a request to a third party: shown as a link with its label.
            MdTag::Link { dest_url, .. } | MdTag::Image { dest_url, .. } => {
                return link(&self.source.address(&dest_url));
            }
            MdTag::FootnoteDefinition(name) => {
                let name = Node::Text(unmarked(&name).into_owned());
                let mark = Node::element(Tag::NoteMark, vec![name]);
                return Element { tag: Tag::Note, attrs, children: vec![mark] };
            }
            // Raw HTML shows as text, and whatever extension is not switched on as a paragraph.
            _ => Tag::Paragraph,
        };
        Element { tag, attrs, children: Vec::new() }
    }

    fn end(&mut self) {
        if self.flattened > 0 {
            self.flattened -= 1;
            return;
        }
        if let Some(Open { element, range }) = self.open.pop() {
            self.leaf(finish(element), range);
        }
    }

    /// Words, and the citations between them.
    fn text(&mut self, text: &str, range: Range<usize>) {
        if self.is_in_code() {
            return self.words(&unmarked(text), range);
        }
        let mut rest = text;
        while let Some((at, c, (n, by_comparison))) =
            rest.char_indices().find_map(|(at, c)| Some((at, c, citation_of(c)?)))
        {
            if at > 0 {
                self.words(&rest[..at], range.clone());
            }
            let attrs = vec![Attr::Source { n, by_comparison }];
            let children = vec![Node::Text(n.to_string())];
            let citation = Element { tag: Tag::Citation, attrs, children };
            self.leaf(Node::Element(citation), range.clone());
            rest = &rest[at + c.len_utf8()..];
        }
        if !rest.is_empty() {
            self.words(rest, range);
        }
    }

    fn words(&mut self, text: &str, range: Range<usize>) {
        if let Some(open) = self.open.last_mut()
            && let Some(Node::Text(last)) = open.element.children.last_mut()
        {
            last.push_str(text);
        } else {
            self.leaf(Node::Text(text.to_owned()), range);
        }
    }

    fn leaf(&mut self, node: Node, range: Range<usize>) {
        match self.open.last_mut() {
            Some(open) => open.element.children.push(node),
            None => self.blocks.push(TopLevel { node, range }),
        }
    }
}

/// Puts a table's rows into head and body, and drops the line break at a code block's end.
fn finish(mut element: Element) -> Node {
    match element.tag {
        Tag::TableHead => {
            let cells = std::mem::take(&mut element.children);
            element.children.push(Node::element(Tag::TableRow, cells));
        }
        Tag::Table if element.children.len() > 1 => {
            let rows = element.children.split_off(1);
            element.children.push(Node::element(Tag::TableBody, rows));
        }
        Tag::CodeBlock => {
            if let Some(Node::Text(text)) = element.children.last_mut()
                && text.ends_with('\n')
            {
                text.pop();
            }
        }
        _ => {}
    }
    Node::Element(element)
}

fn link(url: &str) -> Element {
    match link_target(url) {
        LinkTarget::Allowed(href) => {
            Element { tag: Tag::Link, attrs: vec![Attr::Href(href)], children: Vec::new() }
        }
        LinkTarget::Refused => {
            Element { tag: Tag::Emphasis, attrs: Vec::new(), children: Vec::new() }
        }
    }
}

fn align(alignment: Alignment) -> Align {
    match alignment {
        Alignment::None | Alignment::Left => Align::Start,
        Alignment::Center => Align::Center,
        Alignment::Right => Align::End,
    }
}

/// The info string's first word, if it can be a language's name.
fn language(info: &CowStr<'_>) -> Option<String> {
    let word = info.split([' ', ',', '{']).next().unwrap_or_default();
    let is_name = !word.is_empty()
        && word.len() <= 24
        && word.chars().all(|c| c.is_alphanumeric() || "+-#._".contains(c));
    is_name.then(|| word.to_owned())
}

/// Models write `<br>` where Markdown has no line break, as in a table's cell.
fn is_line_break(html: &str) -> bool {
    let inner = html.trim_start_matches('<').trim_end_matches(['>', '/', ' ']);
    inner.eq_ignore_ascii_case("br")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::node::plain_text;
    use super::*;

    /// The tree as HTML, for comparison only: the page never makes such a string.
    fn html(nodes: &[Node]) -> String {
        fn escape(text: &str) -> String {
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
        }
        let mut out = String::new();
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(&escape(text)),
                Node::Element(Element { tag, attrs, children }) => {
                    let name = tag.html_name();
                    out.push_str(&format!("<{name}"));
                    for attr in attrs {
                        match attr {
                            Attr::Href(href) => {
                                let href = escape(href).replace('"', "&quot;");
                                out.push_str(&format!(" href=\"{href}\""));
                            }
                            Attr::Start(first) => out.push_str(&format!(" start=\"{first}\"")),
                            Attr::Align(_) | Attr::Language(_) | Attr::Source { .. } => {}
                        }
                    }
                    if *tag == Tag::Link {
                        out.push_str(" rel=\"noopener noreferrer nofollow\"");
                    }
                    out.push('>');
                    if !matches!(tag, Tag::Rule | Tag::LineBreak) {
                        out.push_str(&html(children));
                        out.push_str(&format!("</{name}>"));
                    }
                }
            }
        }
        out
    }

    fn check(source: &str, expect: &str) {
        assert_eq!(html(&parse(source)), expect, "{source:?}");
    }

    #[test]
    fn renders_what_models_write() {
        check("Hello *you* and **them**", "<p>Hello <em>you</em> and <strong>them</strong></p>");
        check("# One\n### Three", "<h3>One</h3><h3>Three</h3>");
        check("- a\n- b", "<ul><li>a</li><li>b</li></ul>");
        check("3. a", "<ol start=\"3\"><li>a</li></ol>");
        check("1. a\n\n   b", "<ol><li><p>a</p><p>b</p></li></ol>");
        check("> q", "<blockquote><p>q</p></blockquote>");
        check("a  \nb", "<p>a<br>b</p>");
        check("---", "<hr>");
        check("~~x~~ `y<z`", "<p><del>x</del> <code>y&lt;z</code></p>");
        check("- [x] done", "<ul><li>☑ done</li></ul>");
        check("a[^1]\n\n[^1]: note", "<p>a<sup>1</sup></p><div><sup>1</sup><p>note</p></div>");
        check(
            "|a|b|\n|-|-:|\n|1|2<br>3|",
            "<table><thead><tr><th>a</th><th>b</th></tr></thead>\
             <tbody><tr><td>1</td><td>2<br>3</td></tr></tbody></table>",
        );
    }

    #[test]
    fn code_blocks_keep_language_and_text() {
        let nodes = parse("```rust,ignore\nfn main() {}\n```");
        let Some(Node::Element(code)) = nodes.first() else { panic!("{nodes:?}") };
        assert_eq!(code.tag, Tag::CodeBlock);
        assert_eq!(code.attrs, [Attr::Language("rust".into())]);
        assert_eq!(code.children, [Node::Text("fn main() {}".into())]);
    }

    #[test]
    fn raw_html_shows_as_text() {
        check("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
        check("a <b onclick=x>c</b>", "<p>a &lt;b onclick=x&gt;c&lt;/b&gt;</p>");
    }

    #[test]
    fn images_become_links_and_bad_links_become_text() {
        check(
            "![a cat](https://example.org/cat.png)",
            "<p><a href=\"https://example.org/cat.png\" rel=\"noopener noreferrer nofollow\">a cat</a></p>",
        );
        check("[x](javascript:alert(1))", "<p><em>x</em></p>");
        check("[x](/api/logout)", "<p><em>x</em></p>");
    }

    #[test]
    fn formulas_are_found_in_all_their_forms() {
        check("so $x_1 * y_2$ holds", "<p>so <code>x_1 * y_2</code> holds</p>");
        check("so \\(x_1 * y_2\\) holds", "<p>so <code>x_1 * y_2</code> holds</p>");
        check("$$\na^2\n$$", "<p><code>\na^2\n</code></p>");
        check("\\[\na^2\n\\]", "<p><code>\na^2\n</code></p>");
        check(
            "| $a$ | b |\n|-|-|",
            "<table><thead><tr><th><code>a</code></th><th>b</th></tr></thead></table>",
        );
        let tags = |source: &str| -> Vec<Tag> {
            let Some(Node::Element(paragraph)) = parse(source).into_iter().next() else {
                return Vec::new();
            };
            let element = |node: &Node| match node {
                Node::Element(element) => Some(element.tag),
                Node::Text(_) => None,
            };
            paragraph.children.iter().filter_map(element).collect()
        };
        assert_eq!(
            tags("$a$ $$b$$ \\(c\\) \\[d\\]"),
            [Tag::Formula, Tag::FormulaBlock, Tag::Formula, Tag::FormulaBlock]
        );
    }

    #[test]
    fn prices_and_variables_are_no_formulas() {
        for text in [
            "It costs $5 and $10.",
            "Between $5-$10 or US$3",
            "from 5$ to 10$",
            "$HOME and $PATH:$HOME",
            "$5 or 10$ a head",
            "a $ b $ c",
            "one $",
            "$1,000 to $2,000,000",
        ] {
            check(text, &format!("<p>{text}</p>"));
        }
        check("**$5** and *$6*", "<p><strong>$5</strong> and <em>$6</em></p>");
        check("\\$x\\$", "<p>$x$</p>");
        check(
            "[a](https://e.org/$b?c=$d)",
            "<p><a href=\"https://e.org/$b?c=$d\" rel=\"noopener noreferrer nofollow\">a</a></p>",
        );
    }

    #[test]
    fn code_is_no_formula() {
        check(
            "`$x$` and `\\(y\\)` and `a$`",
            "<p><code>$x$</code> and <code>\\(y\\)</code> and <code>a$</code></p>",
        );
        check("```sh\necho $A \\(x\\) $B$\n```", "<pre>echo $A \\(x\\) $B$</pre>");
        check("    $x$ \\[a\\]", "<pre>$x$ \\[a\\]</pre>");
        check("<b title=\"$x$\">", "<p>&lt;b title=\"$x$\"&gt;</p>");
        check("\\[not closed", "<p>[not closed</p>");
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("{}x", "> ".repeat(5_000));
        fn depth(nodes: &[Node]) -> usize {
            nodes
                .iter()
                .map(|node| match node {
                    Node::Text(_) => 0,
                    Node::Element(element) => 1 + depth(&element.children),
                })
                .max()
                .unwrap_or(0)
        }
        let nodes = parse(&deep);
        assert!(depth(&nodes) <= MAX_DEPTH + 1);
        assert!(plain_text(&nodes).contains('x'));
    }

    #[test]
    fn plain_text_keeps_words_apart() {
        assert_eq!(plain_text(&parse("# A\nb *c*\n\n- d\n- e")), "A\nb c\nd\ne");
        assert_eq!(plain_text(&parse("|a|b|\n|-|-|\n|1|2|")), "a b\n1 2");
    }

    proptest! {
        /// ammonia, whose allow-list is the usual judge of user content, finds nothing to remove.
        #[test]
        fn nothing_is_left_for_ammonia_to_clean(
            source in proptest::collection::vec(prop_oneof![
                "[a-zA-Z0-9 \n]{0,12}",
                "[-*_#>`~|<>&\"'\\[\\]()!:/=\\\\ \n]{1,6}",
                Just("<script>alert(1)</script>".to_owned()),
                Just("<img src=x onerror=alert(1)>".to_owned()),
                Just("<svg/onload=alert(1)>".to_owned()),
                Just("[x](javascript:alert(1))".to_owned()),
                Just("[x](https://e.org/\"onclick=\"y)".to_owned()),
                Just("![x](https://e.org/y)".to_owned()),
                Just("<br>".to_owned()),
                Just("$x^2$".to_owned()),
                Just("\\(a<b\\)".to_owned()),
                Just("$$<img src=x onerror=alert(1)>$$".to_owned()),
            ], 0..24).prop_map(|parts| parts.concat())
        ) {
            let ours = html(&parse(&source));
            let mut judge = ammonia::Builder::default();
            judge.link_rel(Some("noopener noreferrer nofollow"));
            let cleaned = judge.clean(&ours).to_string();
            // Elements and attributes must survive; ammonia may only move or normalise text.
            let tags = |html: &str| -> Vec<String> {
                html.split('<').skip(1)
                    .filter_map(|part| part.split_once('>').map(|(tag, _)| tag.to_owned()))
                    .filter(|tag| tag.starts_with("a ") || tag.starts_with("code"))
                    .collect()
            };
            prop_assert_eq!(tags(&ours).len(), tags(&cleaned).len());
            prop_assert!(!ours.contains("<script") && !ours.contains("<img") && !ours.contains("<svg"));
        }
    }
}
