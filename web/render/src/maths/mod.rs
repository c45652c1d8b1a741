//! How does TeX become MathML that may stand in the page?
//!
//! pulldown-latex writes MathML as a text; `sanitise` makes of it a tree of allow-listed elements
//! and attributes, and the page makes elements of that. No markup is ever parsed by the browser.

mod sanitise;

use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Event, Parser, Storage, mathml::push_mathml};

pub use sanitise::{Element, Node};

/// Longest formula, in bytes.
const TEX_MAX_BYTES: usize = 4_000;
/// Deepest nesting of groups.
const DEPTH_MAX: usize = 40;
/// Commands that make commands: nobody needs them in an answer, and they multiply what is written.
const DEFINITIONS: [&str; 8] = [
    "\\def",
    "\\edef",
    "\\gdef",
    "\\xdef",
    "\\let",
    "\\futurelet",
    "\\newcommand",
    "\\renewcommand",
];

/// Why a formula is shown as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MathsError {
    TooLong,
    TooDeep,
    Defines,
    /// What the parser says.
    Tex(String),
    /// The MathML holds what is not allowed.
    Markup(&'static str),
}

/// A formula's `<math>`.
///
/// # Errors
/// Why its source must be shown instead.
pub fn formula(tex: &str, is_block: bool) -> Result<Element, MathsError> {
    if tex.len() > TEX_MAX_BYTES {
        return Err(MathsError::TooLong);
    }
    if depth(tex) > DEPTH_MAX {
        return Err(MathsError::TooDeep);
    }
    if DEFINITIONS.iter().any(|name| tex.contains(name)) {
        return Err(MathsError::Defines);
    }
    let storage = Storage::new();
    let events: Result<Vec<Event<'_>>, _> = Parser::new(tex, &storage).collect();
    let events = events.map_err(|error| MathsError::Tex(error.to_string()))?;
    let display_mode = if is_block { DisplayMode::Block } else { DisplayMode::Inline };
    let config = RenderConfig { display_mode, ..RenderConfig::default() };
    let mut mathml = String::new();
    let events = events.into_iter().map(Ok::<_, std::convert::Infallible>);
    push_mathml(&mut mathml, events, config).map_err(|error| MathsError::Tex(error.to_string()))?;
    sanitise::read(&mathml).map_err(MathsError::Markup)
}

/// How deep braces, fences, environments, roots and scripts may come to stand in one another.
fn depth(tex: &str) -> usize {
    let (mut deepest, mut now) = (0_usize, 0_usize);
    let bytes = tex.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' => now += 1,
            b'}' => now = now.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(now);
        // Commands that take what follows without a brace nest as well.
        if *byte == b'\\' && bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) {
            let name = &tex[at + 1..];
            if ["sqrt", "frac", "left", "begin", "over", "under"]
                .iter()
                .any(|c| name.starts_with(c))
            {
                deepest = deepest.max(now + nested_behind(name));
            }
        }
    }
    deepest
}

/// How often the same command follows itself at once: `\sqrt\sqrt\sqrt x`.
fn nested_behind(from: &str) -> usize {
    let word: &str = from.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let mut rest = &from[word.len()..];
    let mut n = 1;
    while let Some(next) = rest.trim_start().strip_prefix('\\').and_then(|r| r.strip_prefix(word)) {
        n += 1;
        rest = next;
        if n > DEPTH_MAX {
            break;
        }
    }
    n
}

#[cfg(test)]
mod tests;
