//! How do a page's elements become blocks? Fed tag by tag, from a tree or from the bare text.

use crate::documents::{BlockKind, Builder, table_text};

/// Elements that hold no text for readers.
const DROPPED: &[&str] = &[
    "audio", "button", "canvas", "datalist", "footer", "head", "iframe", "nav", "noscript",
    "object", "option", "script", "select", "style", "svg", "template", "textarea", "video",
];
/// Names of classes and ids of what stands on every page of a site.
const DROPPED_CLASSES: &[&str] = &[
    "breadcrumb",
    "breadcrumbs",
    "cookie-banner",
    "footer",
    "headerlink",
    "menu",
    "mw-editsection",
    "nav",
    "navbar",
    "navfooter",
    "navheader",
    "navigation",
    "noprint",
    "related",
    "sidebar",
    "site-footer",
    "site-header",
    "skip-link",
    "sphinxsidebar",
    "toc",
    "visually-hidden-nav",
];
const DROPPED_ROLES: &[&str] = &["banner", "contentinfo", "navigation", "search"];
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "html",
    "legend",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];
/// A cell that is longer holds a page's layout, no datum.
const CELL_CHARS_MAX: usize = 1500;

/// Turns elements into the builder's blocks. Tags need not match each other.
pub struct HtmlBlocks<'b> {
    builder: &'b mut Builder,
    keeps_all: bool,
    text: String,
    heading: Option<u8>,
    /// Elements that are being left out, the outermost first.
    dropped: Vec<String>,
    /// Within a site's header, of which only headings are kept.
    n_headers: usize,
    n_articles: usize,
    n_pre: usize,
    in_title: bool,
    /// Numbers of the lists around, `None` for bullets.
    lists: Vec<Option<u64>>,
    bullet: Option<String>,
    in_definition: bool,
    tables: Vec<Table>,
}

#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
    in_cell: bool,
    /// Its cells are places on the page, not data.
    is_layout: bool,
}

impl<'b> HtmlBlocks<'b> {
    /// `keeps_all`: navigation and the like, too.
    pub fn new(builder: &'b mut Builder, keeps_all: bool) -> Self {
        Self {
            builder,
            keeps_all,
            text: String::new(),
            heading: None,
            dropped: Vec::new(),
            n_headers: 0,
            n_articles: 0,
            n_pre: 0,
            in_title: false,
            lists: Vec::new(),
            bullet: None,
            in_definition: false,
            tables: Vec::new(),
        }
    }

    pub fn open(&mut self, name: &str, attribute: &dyn Fn(&str) -> Option<String>) {
        if name == "title" && self.dropped.iter().all(|dropped| dropped == "head") {
            self.flush();
            self.in_title = true;
            return;
        }
        if name == "body" {
            self.dropped.clear();
        }
        if !self.dropped.is_empty() {
            if !VOID.contains(&name) {
                self.dropped.push(name.to_owned());
            }
            return;
        }
        if self.is_dropped(name, attribute) {
            if !VOID.contains(&name) {
                self.dropped.push(name.to_owned());
            }
            return;
        }
        if BLOCKS.contains(&name) {
            self.flush();
        }
        match name {
            "main" | "article" => self.n_articles += 1,
            "header" if self.n_articles == 0 => self.n_headers += 1,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.is_no_table();
                self.heading = name[1..].parse().ok();
            }
            "pre" => self.n_pre += 1,
            "br" => self.text.push('\n'),
            "ul" | "menu" => self.lists.push(None),
            "ol" => {
                let first = attribute("start").and_then(|first| first.trim().parse().ok());
                self.lists.push(Some(first.unwrap_or(1)));
            }
            "li" => {
                self.bullet = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                });
            }
            "dt" | "dd" => self.in_definition = true,
            "table" => {
                self.is_no_table();
                let is_layout = attribute("role").is_some_and(|role| role == "presentation");
                self.tables.push(Table { is_layout, ..Table::default() });
            }
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    table.in_cell = false;
                    table.rows.push(Vec::new());
                }
            }
            "td" | "th" => {
                if let Some(table) = self.tables.last_mut() {
                    table.in_cell = true;
                    if table.rows.is_empty() {
                        table.rows.push(Vec::new());
                    }
                    if let Some(row) = table.rows.last_mut() {
                        row.push(String::new());
                    }
                }
            }
            _ => {}
        }
    }

    pub fn close(&mut self, name: &str) {
        if name == "title" && self.in_title {
            self.in_title = false;
            let title = std::mem::take(&mut self.text);
            self.builder.title(&title);
            return;
        }
        if !self.dropped.is_empty() {
            // An end without a beginning ends nothing.
            if let Some(at) = self.dropped.iter().rposition(|dropped| dropped == name) {
                self.dropped.truncate(at);
            }
            return;
        }
        if BLOCKS.contains(&name) {
            self.flush();
        }
        match name {
            "main" | "article" => self.n_articles = self.n_articles.saturating_sub(1),
            "header" => self.n_headers = self.n_headers.saturating_sub(1),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = None,
            "pre" => self.n_pre = self.n_pre.saturating_sub(1),
            "ul" | "ol" | "menu" => {
                self.lists.pop();
            }
            "li" => self.bullet = None,
            "dt" | "dd" => self.in_definition = false,
            "td" | "th" => {
                if let Some(table) = self.tables.last_mut() {
                    table.in_cell = false;
                }
            }
            "table" => {
                if let Some(table) = self.tables.pop() {
                    self.push_table(table);
                }
            }
            _ => {}
        }
    }

    pub fn text(&mut self, text: &str) {
        if !self.in_title && !self.dropped.is_empty() {
            return;
        }
        if self.n_pre > 0 {
            self.text.push_str(text);
            return;
        }
        for c in text.chars() {
            if !c.is_whitespace() || c == '\u{a0}' {
                self.text.push(c);
            } else if !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
        }
    }

    pub fn finish(mut self) {
        self.flush();
        while let Some(table) = self.tables.pop() {
            self.push_table(table);
        }
    }

    fn is_dropped(&self, name: &str, attribute: &dyn Fn(&str) -> Option<String>) -> bool {
        let always = ["script", "style", "template", "svg", "noscript", "head"];
        if self.keeps_all {
            return always.contains(&name);
        }
        if matches!(name, "html" | "body" | "main" | "article") {
            return false;
        }
        if DROPPED.contains(&name) || (name == "aside" && self.n_articles == 0) {
            return true;
        }
        let is_hidden = attribute("hidden").is_some()
            || attribute("aria-hidden").is_some_and(|value| value == "true")
            || attribute("style").is_some_and(|style| {
                let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
                style.contains("display:none") || style.contains("visibility:hidden")
            });
        let names = |attribute: Option<String>, known: &[&str]| {
            attribute
                .is_some_and(|value| value.split_whitespace().any(|word| known.contains(&word)))
        };
        is_hidden
            || names(attribute("class"), DROPPED_CLASSES)
            || names(attribute("id"), DROPPED_CLASSES)
            || names(attribute("role"), DROPPED_ROLES)
    }

    /// What has been gathered, as the next block or into its cell.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() || self.in_title {
            return;
        }
        if let Some(table) = self.tables.last_mut()
            && !table.is_layout
            && table.in_cell
            && let Some(cell) = table.rows.last_mut().and_then(|row| row.last_mut())
        {
            if !cell.is_empty() {
                cell.push(if self.n_pre > 0 { '\n' } else { ' ' });
            }
            cell.push_str(text.trim());
            return;
        }
        if let Some(level) = self.heading {
            self.builder.push(BlockKind::Heading { level }, &text);
            if level == 1 {
                self.builder.title(&text);
            }
        } else if self.n_headers > 0 && !self.keeps_all {
            // A site's header: logos, links, slogans.
        } else if self.n_pre > 0 {
            self.builder.push(BlockKind::Code, &text);
        } else if let Some(bullet) = self.bullet.take() {
            self.builder.push(BlockKind::ListItem, &format!("{bullet}{}", text.trim()));
        } else if !self.lists.is_empty() || self.in_definition {
            self.builder.push(BlockKind::ListItem, &text);
        } else {
            self.builder.push(BlockKind::Paragraph, &text);
        }
    }

    /// Headings and tables within a table: it only places things on the page.
    fn is_no_table(&mut self) {
        let Some(table) = self.tables.last_mut() else { return };
        table.is_layout = true;
        for row in std::mem::take(&mut table.rows) {
            for cell in row {
                self.builder.push(BlockKind::Paragraph, &cell);
            }
        }
    }

    fn push_table(&mut self, table: Table) {
        // One column that says something, perhaps beside pictures: a frame around text.
        let n_said = |row: &Vec<String>| row.iter().filter(|cell| !cell.is_empty()).count();
        let is_list = table.rows.iter().all(|row| n_said(row) < 2);
        let is_layout = table.rows.iter().flatten().any(|cell| cell.len() > CELL_CHARS_MAX);
        if is_list || is_layout {
            for cell in table.rows.into_iter().flatten() {
                self.builder.push(BlockKind::Paragraph, &cell);
            }
            return;
        }
        let text = table_text(table.rows);
        // A table within another's cell was a layout's; its text is a block of its own.
        self.builder.push(BlockKind::Table, &text);
    }
}
