//! What does an HTML page say? As a browser's tree has it, navigation and scripts left out.

use encoding_rs::Encoding;
use portico_shared::documents::{Builder, Extracted, HtmlBlocks};
use scraper::{Html, Node, Selector};

use crate::decode::decode;
use crate::{ExtractError, append};

/// HTML is to name its encoding within so many bytes.
const CHARSET_WITHIN: usize = 2048;

pub(crate) fn extract(builder: &mut Builder, bytes: &[u8]) -> Result<(), ExtractError> {
    let named = charset(bytes).filter(|_| Encoding::for_bom(bytes).is_none());
    let text = match named {
        Some(encoding) => {
            let (text, has_errors) = encoding.decode_without_bom_handling(bytes);
            // A page that says what it is not.
            if has_errors { decode(builder, bytes)? } else { text.into_owned() }
        }
        None => decode(builder, bytes)?,
    };
    append(builder, read(&text));
    Ok(())
}

/// The encoding that a page's head names.
fn charset(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(CHARSET_WITHIN)]).to_lowercase();
    let at = head.find("charset=")?;
    let label = head[at + "charset=".len()..].trim_start_matches(['"', '\'', ' ']);
    let end = label.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:".contains(c));
    let encoding = Encoding::for_label(&label.as_bytes()[..end.unwrap_or(label.len())])?;
    // Whoever reads this label as ASCII does not have UTF-16 before him.
    let is_wide = [encoding_rs::UTF_16LE, encoding_rs::UTF_16BE].contains(&encoding);
    Some(if is_wide { encoding_rs::UTF_8 } else { encoding })
}

/// The blocks of a page.
pub(crate) fn read(text: &str) -> Extracted {
    let page = Html::parse_document(text);
    let mut extracted = walk(&page, false);
    if extracted.blocks.is_empty() {
        // Nothing but navigation: then that is what it says.
        extracted = walk(&page, true);
    }
    extracted
}

fn walk(page: &Html, keeps_all: bool) -> Extracted {
    let mut builder = Builder::default();
    let select = |selector: &str| {
        let selector = Selector::parse(selector).ok()?;
        page.select(&selector).next()
    };
    if let Some(title) = select("title") {
        builder.title(&title.text().collect::<String>());
    }
    let main = if keeps_all { None } else { select("main, [role=main]") };
    let root = main.map_or(page.tree.root(), |main| *main);
    let mut blocks = HtmlBlocks::new(&mut builder, keeps_all);
    // Without recursion: pages can be nested deeply.
    let mut node = root;
    loop {
        match node.value() {
            Node::Element(element) => {
                blocks.open(element.name(), &|name| element.attr(name).map(str::to_owned));
            }
            Node::Text(text) => blocks.text(text),
            _ => {}
        }
        if let Some(child) = node.first_child() {
            node = child;
            continue;
        }
        loop {
            if let Node::Element(element) = node.value() {
                blocks.close(element.name());
            }
            if node.id() == root.id() {
                blocks.finish();
                return builder.finish();
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            match node.parent() {
                Some(parent) => node = parent,
                None => {
                    blocks.finish();
                    return builder.finish();
                }
            }
        }
    }
}
