//! How is a growing answer rendered without parsing it again and again?
//!
//! In CommonMark a block that another block follows is closed: later text cannot change it. So only
//! the last block stays open; what stands before it is settled, leaves the parser's view for good,
//! and costs nothing any more. A block whose first line is not whole does not count as following,
//! for `*` may become `**bold**`. The one exception, a link reference defined further down, is made
//! up for by one parse of the whole when the answer ends.

use super::node::Node;
use super::parse::{TopLevel, parse, parse_top_level};

/// What changed since the last call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advance {
    /// Blocks that will not change any more; they stand where the open ones stood.
    pub settled: Vec<Node>,
    /// Blocks after them that may still grow.
    pub open: Vec<Node>,
}

/// An answer's text while it arrives.
#[derive(Clone, Debug, Default)]
pub struct MarkdownStream {
    text: String,
    /// Text before this is settled; the start of a line.
    settled_bytes: usize,
    parsed_bytes: usize,
}

impl MarkdownStream {
    pub fn push(&mut self, delta: &str) {
        self.text.push_str(delta);
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Parses what is not settled; None when nothing arrived since.
    pub fn advance(&mut self) -> Option<Advance> {
        if self.parsed_bytes == self.text.len() {
            return None;
        }
        self.parsed_bytes = self.text.len();
        let source = &self.text[self.settled_bytes..];
        let mut blocks = parse_top_level(source);
        let whole_lines_end = source.rfind('\n').map_or(0, |at| at + 1);
        let first_open =
            blocks.iter().rposition(|block| block.range.start < whole_lines_end).unwrap_or(0);
        if let Some(block) = blocks.get(first_open) {
            // An indented block's range starts behind its indentation.
            let line_start = source[..block.range.start].rfind('\n').map_or(0, |at| at + 1);
            self.settled_bytes += line_start;
        }
        let open = blocks.split_off(first_open);
        let nodes = |blocks: Vec<TopLevel>| blocks.into_iter().map(|block| block.node).collect();
        Some(Advance { settled: nodes(blocks), open: nodes(open) })
    }

    /// The whole, for the answer's last picture.
    pub fn finish(&self) -> Vec<Node> {
        parse(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream(pieces: &[&str]) -> Vec<Node> {
        let mut stream = MarkdownStream::default();
        let (mut settled, mut open) = (Vec::new(), Vec::new());
        for piece in pieces {
            stream.push(piece);
            if let Some(advance) = stream.advance() {
                settled.extend(advance.settled);
                open = advance.open;
            }
        }
        settled.extend(open);
        settled
    }

    #[test]
    fn settles_all_but_the_last_block() {
        let mut stream = MarkdownStream::default();
        stream.push("One.\n\nTwo");
        let advance = stream.advance().expect("text arrived");
        assert_eq!((advance.settled.len(), advance.open.len()), (0, 2));
        assert_eq!(stream.advance(), None);
        stream.push(" more\n");
        let advance = stream.advance().expect("text arrived");
        assert_eq!((advance.settled.len(), advance.open.len()), (1, 1));
        assert_eq!(stream.settled_bytes, "One.\n\n".len());
    }

    #[test]
    fn half_a_line_settles_nothing() {
        assert_eq!(stream(&["1. one\n*", "*bold"]), parse("1. one\n**bold"));
    }

    #[test]
    fn an_indented_code_block_stays_one() {
        let source = "a\n\n    code\n    more";
        assert_eq!(stream(&["a\n\n    co", "de\n    more"]), parse(source));
    }

    /// What a settled block left open has no part in what follows it.
    #[test]
    fn a_formula_that_a_block_leaves_open_ends_with_it() {
        let lines = ["$$", "- item", "$$", "\\[", "- item", "\\]"];
        for source in [lines.join("\n"), "# $$\ntext $$ a $$\n---\n\\[\nb\n\\]".to_owned()] {
            let letters: Vec<String> = source.chars().map(String::from).collect();
            let pieces: Vec<&str> = letters.iter().map(String::as_str).collect();
            assert_eq!(stream(&pieces), parse(&source), "{source}");
        }
    }

    proptest! {
        /// Cut anywhere, the pieces show what the whole shows.
        #[test]
        fn streaming_does_not_change_the_result(
            lines in proptest::collection::vec(prop_oneof![
                Just("- item"), Just("  - inner"), Just("1. one"), Just("2. two"), Just("* star"),
                Just("text ä😀"), Just("    indented"), Just("```rust"), Just("```"), Just("> quote"),
                Just("# head"), Just("==="), Just("---"), Just("|a|b|"), Just("|-|-|"), Just(""),
                Just("**bold"), Just("rest** `code"), Just("<div>"), Just("<!-- x"), Just("\ttab"),
                Just("  two spaces  "), Just("[a](https://x.y)"), Just("$a$ $5 and $6"),
                Just("\\(a"), Just("b\\) c"), Just("\\["), Just("\\]"), Just("$$"), Just("`\\(`"),
            ], 0..14),
            cut_seed in any::<u64>(),
        ) {
            let source = lines.join("\n");
            let mut pieces = Vec::new();
            let (mut rest, mut seed) = (source.as_str(), cut_seed);
            while !rest.is_empty() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let mut at = (1 + (seed >> 60) as usize).min(rest.len());
                while !rest.is_char_boundary(at) { at += 1; }
                let (piece, tail) = rest.split_at(at);
                pieces.push(piece);
                rest = tail;
            }
            prop_assert_eq!(stream(&pieces), parse(&source));
        }
    }
}
