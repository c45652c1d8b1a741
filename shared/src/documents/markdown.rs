//! What does Markdown say, without its marks?

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{BlockKind, Builder, Extracted, html, table_text};

/// Deeper nesting is read as if it were this deep.
const DEPTH_MAX: usize = 20;

/// Headings, paragraphs, lists, tables and listings of Markdown; front matter gives the title.
pub fn markdown(text: &str) -> Extracted {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let mut reader = Reader::default();
    for event in Parser::new_ext(text, options) {
        reader.take(event);
    }
    reader.flush();
    reader.builder.finish()
}

#[derive(Default)]
struct Reader {
    builder: Builder,
    text: String,
    /// Numbers of the lists around, `None` for bullets.
    lists: Vec<Option<u64>>,
    /// What the next paragraph begins with, if it is an item's first.
    bullet: Option<String>,
    kind: Option<BlockKind>,
    rows: Vec<Vec<String>>,
    in_metadata: bool,
    html: String,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.close(tag),
            Event::Text(text) if self.in_metadata => self.metadata(&text),
            Event::Text(text) | Event::Code(text) => self.text.push_str(&text),
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.text.push('\n'),
            Event::Html(raw) => self.html.push_str(&raw),
            Event::InlineHtml(raw) if raw.starts_with("<br") => self.text.push('\n'),
            Event::TaskListMarker(is_done) => {
                self.text.push_str(if is_done { "[x] " } else { "[ ] " });
            }
            _ => {}
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.kind = Some(BlockKind::Heading { level: level as u8 });
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.kind = Some(BlockKind::Code);
            }
            Tag::Paragraph | Tag::BlockQuote(_) | Tag::Table(_) | Tag::HtmlBlock => self.flush(),
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                let depth = self.lists.len().clamp(1, DEPTH_MAX) - 1;
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{}.", *number - 1)
                    }
                    _ => "-".to_owned(),
                };
                self.bullet = Some(format!("{}{mark} ", "  ".repeat(depth)));
            }
            Tag::MetadataBlock(_) => self.in_metadata = true,
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            Tag::FootnoteDefinition(label) => {
                self.flush();
                self.text = format!("[{label}] ");
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::Paragraph | TagEnd::Item => {
                self.flush();
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::Table => {
                let rows = std::mem::take(&mut self.rows);
                self.builder.push(BlockKind::Table, &table_text(rows));
            }
            TagEnd::HtmlBlock => {
                let part = html(&std::mem::take(&mut self.html));
                self.builder.append(part);
            }
            TagEnd::MetadataBlock(_) => self.in_metadata = false,
            _ => {}
        }
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let kind = self.kind.take();
        if text.trim().is_empty() {
            return;
        }
        match (kind, self.bullet.take()) {
            (Some(kind), _) => self.builder.push(kind, &text),
            (None, Some(bullet)) => {
                self.builder.push(BlockKind::ListItem, &format!("{bullet}{text}"));
            }
            (None, None) if self.lists.is_empty() => {
                self.builder.push(BlockKind::Paragraph, &text);
            }
            (None, None) => self.builder.push(BlockKind::ListItem, &text),
        }
        if let Some(BlockKind::Heading { level: 1 }) = kind {
            self.builder.title(&text);
        }
    }

    fn metadata(&mut self, text: &str) {
        for line in text.lines() {
            let Some((name, value)) = line.split_once([':', '=']) else { continue };
            if name.trim().eq_ignore_ascii_case("title") {
                self.builder.title(value.trim().trim_matches(['"', '\'']));
            }
        }
    }
}
