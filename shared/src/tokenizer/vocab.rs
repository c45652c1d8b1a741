//! Which tokens are there, of which kind, and which id has a given text?

use super::TokenizerError;
use super::error::TokenizerError as Error;
use crate::gguf::{Metadata, StringArray};

/// More tokens than any vocabulary has; keeps the index's memory bounded.
pub const VOCAB_MAX: usize = 1 << 22;

/// What a token is, as `tokenizer.ggml.token_type` numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Normal,
    /// Stands for text that the vocabulary cannot write.
    Unknown,
    /// Marks structure (`<|im_start|>`); never made from user text.
    Control,
    /// Text that is always one token.
    UserDefined,
    Unused,
    /// One byte, written `<0x0A>`.
    Byte,
}

impl TokenKind {
    fn from_ggml(kind: i32) -> Option<Self> {
        Some(match kind {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => return None,
        })
    }
}

/// The vocabulary: texts as the file writes them, and their kinds.
pub struct Vocab {
    texts: StringArray,
    kinds: Vec<TokenKind>,
    index: TextIndex,
}

impl Vocab {
    pub fn from_gguf(metadata: &Metadata) -> Result<Self, TokenizerError> {
        let texts = metadata.strings("tokenizer.ggml.tokens")?.clone();
        let n_vocab = texts.len();
        if !(1..=VOCAB_MAX).contains(&n_vocab) {
            return Err(Error::VocabSize(n_vocab));
        }
        let kinds = match metadata.opt_i32s("tokenizer.ggml.token_type")? {
            Some(kinds) => {
                check_len("tokenizer.ggml.token_type", kinds.len(), n_vocab)?;
                kinds
                    .iter()
                    .enumerate()
                    .map(|(id, &kind)| {
                        TokenKind::from_ggml(kind).ok_or(Error::TokenKind { id, kind })
                    })
                    .collect::<Result<_, _>>()?
            }
            None => vec![TokenKind::Normal; n_vocab],
        };
        let index = TextIndex::new(&texts);
        Ok(Self { texts, kinds, index })
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn text(&self, id: u32) -> Option<&str> {
        self.texts.get(id as usize)
    }

    pub fn kind(&self, id: u32) -> Option<TokenKind> {
        self.kinds.get(id as usize).copied()
    }

    /// The id of the token with exactly this text; the lowest where several have it.
    pub fn id(&self, text: &str) -> Option<u32> {
        self.index.find(&self.texts, text)
    }

    /// In id order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, &str, TokenKind)> {
        self.texts
            .iter()
            .zip(&self.kinds)
            .enumerate()
            .map(|(id, (text, &kind))| (id as u32, text, kind))
    }
}

/// Refuses a per-token array that does not belong to the vocabulary.
pub fn check_len(key: &'static str, len: usize, n_vocab: usize) -> Result<(), TokenizerError> {
    if len == n_vocab { Ok(()) } else { Err(Error::Length { key, len, n_vocab }) }
}

/// Text → id by open addressing over ids alone: the texts stay where they are, so that 262,144
/// tokens cost one allocation and a few milliseconds.
struct TextIndex {
    /// Id + 1, or 0 where free. A power of two of slots, at most half of them taken.
    slots: Vec<u32>,
}

impl TextIndex {
    fn new(texts: &StringArray) -> Self {
        let mut index = Self { slots: vec![0; (texts.len() * 2).next_power_of_two()] };
        for (id, text) in texts.iter().enumerate() {
            let slot = index.slot(texts, text);
            if index.slots[slot] == 0 {
                index.slots[slot] = id as u32 + 1;
            }
        }
        index
    }

    fn find(&self, texts: &StringArray, text: &str) -> Option<u32> {
        self.slots[self.slot(texts, text)].checked_sub(1)
    }

    /// Where `text` stands or would stand.
    fn slot(&self, texts: &StringArray, text: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(text.as_bytes()) as usize & mask;
        loop {
            match self.slots[slot].checked_sub(1) {
                Some(id) if texts.get(id as usize) != Some(text) => slot = (slot + 1) & mask,
                _ => return slot,
            }
        }
    }
}

/// FNV-1a with a last mix: short strings, no need for resistance, for a vocabulary that is built to
/// collide only slows its own model down.
fn hash(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash ^ (hash >> 29)
}
