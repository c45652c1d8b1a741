//! What text does each token of a model stand for, when a form is held against it?

use crate::tokenizer::{TokenKind, Tokenizer};

/// A longer token is never allowed: llguidance's trie has no room for it.
const TOKEN_BYTES_MAX: usize = 1_000;
/// What llguidance marks tokens with that are no text.
const SPECIAL_MARK: u8 = 0xff;

/// The vocabulary as a flat value that crosses from one Wasm to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenTable {
    /// Bytes of all tokens, one behind the other. Control tokens begin with 0xff; a token that may
    /// never come has none.
    pub bytes: Vec<u8>,
    /// Where in `bytes` each token ends.
    pub ends: Vec<u32>,
    /// Tokens that end an answer.
    pub end_ids: Vec<u32>,
}

impl TokenTable {
    pub fn new(tokenizer: &Tokenizer) -> Self {
        let mut table = Self { end_ids: tokenizer.end_ids().to_vec(), ..Self::default() };
        for id in 0..tokenizer.n_vocab() as u32 {
            let is_text = match tokenizer.token_kind(id) {
                Some(TokenKind::Normal | TokenKind::Byte | TokenKind::UserDefined) => Some(true),
                Some(TokenKind::Control) => Some(false),
                _ => None,
            };
            let token = tokenizer.token_bytes(id).unwrap_or_default();
            if let Some(is_text) = is_text
                && (1..=TOKEN_BYTES_MAX).contains(&token.len())
            {
                table.bytes.extend((!is_text).then_some(SPECIAL_MARK));
                table.bytes.extend_from_slice(&token);
            }
            table.ends.push(table.bytes.len() as u32);
        }
        table
    }

    #[cfg(feature = "grammar")]
    pub(super) fn words(&self) -> Vec<Vec<u8>> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let word = |(&start, &end): (&u32, &u32)| {
            self.bytes.get(start as usize..end as usize).unwrap_or_default().to_vec()
        };
        starts.zip(&self.ends).map(word).collect()
    }
}
