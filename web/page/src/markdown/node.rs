//! The elements that an answer may consist of.

/// An allowed element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    Paragraph,
    /// 1 to 6 as written. All are `h3` in the document, below the message's own heading: models skip
    /// levels at will, and a screen reader's outline must not.
    Heading(u8),
    /// A fenced or indented block; its language stands in [`Attr::Language`].
    CodeBlock,
    Quote,
    OrderedList,
    BulletList,
    ListItem,
    Rule,
    Table,
    TableHead,
    TableBody,
    TableRow,
    HeadCell,
    Cell,
    Emphasis,
    Strong,
    Strikethrough,
    Code,
    Link,
    LineBreak,
    /// A source's number; which one stands in [`Attr::Source`].
    Citation,
    /// TeX, in a line of text; its text is the source.
    Formula,
    /// The same on a line of its own.
    FormulaBlock,
    /// A footnote's name, where it is referred to and before its text.
    NoteMark,
    /// A footnote's text.
    Note,
}

impl Tag {
    /// The element's name in the document.
    pub fn html_name(self) -> &'static str {
        match self {
            Self::Paragraph => "p",
            Self::Heading(_) => "h3",
            Self::CodeBlock => "pre",
            Self::Quote => "blockquote",
            Self::OrderedList => "ol",
            Self::BulletList => "ul",
            Self::ListItem => "li",
            Self::Rule => "hr",
            Self::Table => "table",
            Self::TableHead => "thead",
            Self::TableBody => "tbody",
            Self::TableRow => "tr",
            Self::HeadCell => "th",
            Self::Cell => "td",
            Self::Emphasis => "em",
            Self::Strong => "strong",
            Self::Strikethrough => "del",
            Self::Code => "code",
            Self::Link => "a",
            Self::LineBreak => "br",
            Self::Citation => "button",
            Self::Formula | Self::FormulaBlock => "code",
            Self::NoteMark => "sup",
            Self::Note => "div",
        }
    }

    /// Whether its text stands on lines of its own.
    fn is_block(self) -> bool {
        !matches!(
            self,
            Self::Emphasis
                | Self::Strong
                | Self::Strikethrough
                | Self::Code
                | Self::Link
                | Self::Citation
                | Self::Formula
                | Self::NoteMark
        )
    }
}

/// How a table's column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Start,
    Center,
    End,
}

/// An allowed attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attr {
    /// Of a [`Tag::Link`]; passed [`super::link_target`].
    Href(String),
    /// First number of an ordered list.
    Start(u64),
    Align(Align),
    /// Of a [`Tag::CodeBlock`]: the info string's first word.
    Language(String),
    /// Of a [`Tag::Citation`].
    Source {
        n: u32,
        by_comparison: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub tag: Tag,
    pub attrs: Vec<Attr>,
    pub children: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Text(String),
    Element(Element),
}

impl Node {
    pub fn element(tag: Tag, children: Vec<Self>) -> Self {
        Self::Element(Element { tag, attrs: Vec::new(), children })
    }
}

/// The text without markup, blocks apart by line breaks: what a screen reader is told.
pub fn plain_text(nodes: &[Node]) -> String {
    let mut out = String::new();
    push_plain(nodes, &mut out);
    out.trim_end().to_owned()
}

fn push_plain(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Element(element) => {
                if matches!(element.tag, Tag::Cell | Tag::HeadCell)
                    && !out.is_empty()
                    && !out.ends_with('\n')
                {
                    out.push(' ');
                }
                push_plain(&element.children, out);
                if element.tag.is_block()
                    && !matches!(element.tag, Tag::Cell | Tag::HeadCell)
                    && !out.ends_with('\n')
                {
                    out.push('\n');
                }
            }
        }
    }
}
