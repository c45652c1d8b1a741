//! Where in a text do special tokens stand?

use super::vocab::{TokenKind, Vocab};

/// A stretch of text between special tokens, or one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment<'t> {
    Text(&'t str),
    Token(u32),
}

/// Finds the leftmost longest of a set of texts: a trie walked over a sorted array.
pub struct SpecialMatcher {
    /// Sorted by bytes, no empty and no equal texts.
    entries: Vec<(Box<str>, u32)>,
    /// Whether an entry begins with the byte.
    first_bytes: [bool; 256],
}

impl SpecialMatcher {
    /// Matches the tokens of these kinds.
    pub fn new(vocab: &Vocab, kinds: &[TokenKind]) -> Self {
        let mut entries: Vec<(Box<str>, u32)> = vocab
            .iter()
            .filter(|(_, text, kind)| kinds.contains(kind) && !text.is_empty())
            .map(|(id, text, _)| (text.into(), id))
            .collect();
        entries.sort_unstable();
        entries.dedup_by(|later, kept| later.0 == kept.0);
        let mut first_bytes = [false; 256];
        for (text, _) in &entries {
            first_bytes[text.as_bytes()[0] as usize] = true;
        }
        Self { entries, first_bytes }
    }

    /// Cuts `text` at special tokens; empty stretches are left out.
    pub fn split<'t>(&self, text: &'t str) -> Vec<Fragment<'t>> {
        let bytes = text.as_bytes();
        let mut fragments = Vec::new();
        let (mut start, mut at) = (0, 0);
        while at < bytes.len() {
            match self.longest_at(&bytes[at..]) {
                Some((len, id)) => {
                    if start < at {
                        fragments.push(Fragment::Text(&text[start..at]));
                    }
                    fragments.push(Fragment::Token(id));
                    at += len;
                    start = at;
                }
                None => at += 1,
            }
        }
        if start < bytes.len() {
            fragments.push(Fragment::Text(&text[start..]));
        }
        fragments
    }

    /// Length and id of the longest entry that `bytes` begin with. Entries are UTF-8, so a match
    /// begins and ends at borders of characters.
    fn longest_at(&self, bytes: &[u8]) -> Option<(usize, u32)> {
        if !self.first_bytes[bytes[0] as usize] {
            return None;
        }
        let mut longest = None;
        let mut candidates = self.entries.as_slice();
        for (depth, &byte) in bytes.iter().enumerate() {
            // Among entries that share the first `depth` bytes, those that go on with `byte`.
            let at = |entry: &(Box<str>, u32)| entry.0.as_bytes().get(depth).copied();
            let start = candidates.partition_point(|entry| at(entry) < Some(byte));
            let end = candidates.partition_point(|entry| at(entry) <= Some(byte));
            candidates = &candidates[start..end];
            // An entry that ends here sorts before all that go on.
            let Some((text, id)) = candidates.first() else { break };
            if text.len() == depth + 1 {
                longest = Some((depth + 1, *id));
            }
        }
        longest
    }
}
