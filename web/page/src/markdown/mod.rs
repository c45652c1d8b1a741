//! How does an answer's Markdown become something safe to show?
//!
//! Text → [`Node`]s of an allow-listed set of elements ([`Tag`]) with allow-listed attributes → DOM
//! nodes made by `createElement` and text nodes. No HTML string is ever made or parsed, so a model
//! cannot smuggle in markup: raw HTML in an answer shows as the text that it is. (The usual way,
//! render to HTML and clean it with ammonia, brings an HTML parser of its own into the page; here
//! ammonia judges the same output in a test instead.)

mod link;
mod maths;
mod node;
mod parse;
mod stream;

pub use link::{LinkTarget, link_target};
pub use node::{Align, Attr, Element, Node, Tag, plain_text};
pub use parse::{TopLevel, parse, parse_top_level};
pub use stream::{Advance, MarkdownStream};
