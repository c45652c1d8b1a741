//! Which characters does SentencePiece replace before it encodes?
//!
//! The file carries a compiled table (`precompiled_charsmap`): a double-array trie over UTF-8 bytes
//! whose leaves are offsets into a blob of replacements that end in NUL. Layout after
//! SentencePiece's `normalizer.cc` and Darts-clone's `DoubleArrayUnit`. The `tokenizers` crate's
//! reader (`spm_precompiled`) indexes unchecked, so that a hostile table would panic.

use super::TokenizerError;
use super::error::TokenizerError as Error;

pub struct CharsMap {
    units: Vec<u32>,
    /// Replacements, each ended by NUL.
    replacements: String,
}

/// Accessors of a trie's unit.
fn has_leaf(unit: u32) -> bool {
    unit >> 8 & 1 == 1
}

fn value(unit: u32) -> usize {
    (unit & 0x7fff_ffff) as usize
}

fn label(unit: u32) -> u32 {
    unit & 0x8000_00ff
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & 1 << 9) >> 6)) as usize
}

impl CharsMap {
    /// Reads the table: u32 bytes of trie, the trie's u32 units, the replacements.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let bad = |what: &str| Error::CharsMap(what.to_owned());
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| bad("it is cut off"))?;
        let (trie, blob) = rest
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .ok_or_else(|| bad("its trie is longer than itself"))?;
        let (units, odd) = trie.as_chunks::<4>();
        if units.is_empty() || !odd.is_empty() {
            return Err(bad("its trie is not of whole units"));
        }
        let replacements = str::from_utf8(blob).map_err(|_| bad("its text is not UTF-8"))?;
        Ok(Self {
            units: units.iter().map(|&unit| u32::from_le_bytes(unit)).collect(),
            replacements: replacements.to_owned(),
        })
    }

    /// `text` with each longest known sequence replaced.
    pub fn map(&self, text: &str) -> String {
        let mut mapped = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            // A match that ends inside a character is no match: only a broken table has one.
            let found =
                self.longest(rest.as_bytes()).filter(|(len, _)| rest.is_char_boundary(*len));
            let len = match found {
                Some((len, replacement)) => {
                    mapped.push_str(replacement);
                    len
                }
                None => {
                    mapped.push(c);
                    c.len_utf8()
                }
            };
            rest = &rest[len..];
        }
        mapped
    }

    /// Length of the longest sequence that `bytes` begin with, and its replacement.
    fn longest(&self, bytes: &[u8]) -> Option<(usize, &str)> {
        let mut longest = None;
        let mut node = offset(*self.units.first()?);
        for (depth, &byte) in bytes.iter().enumerate() {
            node ^= byte as usize;
            let Some(&unit) = self.units.get(node) else { break };
            if byte == 0 || label(unit) != u32::from(byte) {
                break;
            }
            node ^= offset(unit);
            if has_leaf(unit) {
                let Some(&leaf) = self.units.get(node) else { break };
                longest = self.replacement(value(leaf)).map(|text| (depth + 1, text)).or(longest);
            }
        }
        longest
    }

    fn replacement(&self, start: usize) -> Option<&str> {
        self.replacements.get(start..)?.split('\0').next()
    }
}
