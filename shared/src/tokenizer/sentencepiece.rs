//! How does SentencePiece's BPE encode: characters merged, the pair of the best score first?
//!
//! After SentencePiece's `bpe_model.cc` (and llama.cpp's `llm_tokenizer_spm`). The `tokenizers`
//! crate would need a list of merges, which a GGUF does not carry: deriving it from 262,144 scores
//! costs a page a second; walking the scores themselves costs nothing.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::TokenizerError;
use super::error::TokenizerError as Error;
use super::vocab::{TokenKind, Vocab, check_len};
use crate::gguf::Metadata;

/// SentencePiece writes a space so.
pub const SPACE: char = '\u{2581}';

pub struct SentencePiece {
    scores: Vec<f32>,
    /// The token of each byte, for characters that the vocabulary lacks.
    byte_ids: Option<Box<[u32; 256]>>,
    unknown_id: Option<u32>,
    /// A text begins as if a space stood before it.
    add_space_prefix: bool,
}

/// Neighbouring pieces that the vocabulary has as one.
struct Pair {
    score: f32,
    left: usize,
    right: usize,
    /// Of both pieces when the pair was found; it is stale where they have grown since.
    len: usize,
}

impl Ord for Pair {
    /// The best score first, of equal ones the leftmost.
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

/// A piece of the text in a doubly linked list; empty where it was merged into its left neighbour.
struct Symbol {
    start: usize,
    len: usize,
    prev: Option<usize>,
    next: Option<usize>,
}

impl SentencePiece {
    pub fn from_gguf(metadata: &Metadata, vocab: &Vocab) -> Result<Self, TokenizerError> {
        let scores = metadata.f32s("tokenizer.ggml.scores")?.to_vec();
        check_len("tokenizer.ggml.scores", scores.len(), vocab.len())?;
        let unknown_id =
            vocab.iter().find(|(_, _, kind)| *kind == TokenKind::Unknown).map(|(id, _, _)| id);
        let mut byte_ids = Box::new([0; 256]);
        let mut n_bytes = 0;
        for (byte, id) in byte_ids.iter_mut().enumerate() {
            if let Some(found) = vocab.id(&format!("<0x{byte:02X}>")) {
                *id = found;
                n_bytes += 1;
            }
        }
        let byte_ids = (n_bytes == 256).then_some(byte_ids);
        if byte_ids.is_none() && unknown_id.is_none() {
            return Err(Error::MissingToken("<0x00>".to_owned()));
        }
        let add_space_prefix =
            metadata.opt_bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
        Ok(Self { scores, byte_ids, unknown_id, add_space_prefix })
    }

    pub fn adds_space_prefix(&self) -> bool {
        self.add_space_prefix
    }

    /// `follows_special`: `text` stands at the beginning or behind a special token.
    pub fn encode(&self, vocab: &Vocab, text: &str, follows_special: bool, ids: &mut Vec<u32>) {
        if text.is_empty() {
            return;
        }
        let mut escaped = String::with_capacity(text.len() * 2);
        if self.add_space_prefix && follows_special {
            escaped.push(SPACE);
        }
        escaped.extend(text.chars().map(|c| if c == ' ' { SPACE } else { c }));
        for symbol in self.merge(vocab, &escaped).iter().filter(|symbol| symbol.len > 0) {
            let piece = &escaped[symbol.start..symbol.start + symbol.len];
            match mergeable_id(vocab, piece) {
                Some(id) => ids.push(id),
                None => self.encode_unknown(piece, ids),
            }
        }
    }

    fn encode_unknown(&self, piece: &str, ids: &mut Vec<u32>) {
        match (&self.byte_ids, self.unknown_id) {
            (Some(byte_ids), _) => {
                ids.extend(piece.bytes().map(|byte| byte_ids[byte as usize]));
            }
            (None, Some(unknown_id)) => ids.push(unknown_id),
            // Refused when it was built.
            (None, None) => {}
        }
    }

    fn merge(&self, vocab: &Vocab, text: &str) -> Vec<Symbol> {
        let mut symbols: Vec<Symbol> = text
            .char_indices()
            .enumerate()
            .map(|(i, (start, c))| Symbol {
                start,
                len: c.len_utf8(),
                prev: i.checked_sub(1),
                next: Some(i + 1),
            })
            .collect();
        if let Some(last) = symbols.last_mut() {
            last.next = None;
        }

        let pair = |symbols: &[Symbol], left: usize, right: usize| {
            let len = symbols[left].len + symbols[right].len;
            let start = symbols[left].start;
            let id = mergeable_id(vocab, &text[start..start + len])?;
            Some(Pair { score: self.scores[id as usize], left, right, len })
        };
        let mut pairs: BinaryHeap<Pair> =
            (1..symbols.len()).filter_map(|right| pair(&symbols, right - 1, right)).collect();
        while let Some(Pair { left, right, len, .. }) = pairs.pop() {
            let is_stale = symbols[left].len == 0
                || symbols[right].len == 0
                || symbols[left].len + symbols[right].len != len;
            if is_stale {
                continue;
            }
            symbols[left].len = len;
            symbols[right].len = 0;
            let next = symbols[right].next;
            symbols[left].next = next;
            if let Some(next) = next {
                symbols[next].prev = Some(left);
                pairs.extend(pair(&symbols, left, next));
            }
            if let Some(prev) = symbols[left].prev {
                pairs.extend(pair(&symbols, prev, left));
            }
        }
        symbols
    }
}

/// The token of this text, if text may become it.
fn mergeable_id(vocab: &Vocab, text: &str) -> Option<u32> {
    let id = vocab.id(text)?;
    match vocab.kind(id)? {
        TokenKind::Normal | TokenKind::UserDefined | TokenKind::Unused => Some(id),
        TokenKind::Unknown | TokenKind::Control | TokenKind::Byte => None,
    }
}

/// The byte of a token like `<0x0A>`.
pub fn byte_from_text(text: &str) -> Option<u8> {
    let hex = text.strip_prefix("<0x")?.strip_suffix('>')?;
    if hex.len() == 2 { u8::from_str_radix(hex, 16).ok() } else { None }
}
