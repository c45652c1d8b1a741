//! How does text come out of tokens as they are generated, never half a character?

use std::sync::Arc;

use super::{SkipSpecial, Tokenizer};
use crate::generation::Detokenize;

/// Tokens in, text out. Bytes of an unfinished character are held back until it is whole; what can
/// never become a character turns into U+FFFD, as in [`String::from_utf8_lossy`].
#[derive(Clone)]
pub struct StreamDecoder {
    tokenizer: Arc<Tokenizer>,
    skip_special: SkipSpecial,
    /// Of a character that is not whole yet: at most three.
    pending: Vec<u8>,
    /// The next token with text begins a text, so its word's leading space is none of the text's.
    strips_space: bool,
    /// What `reset` goes back to.
    strips_space_at_start: bool,
}

impl StreamDecoder {
    /// Decodes a text of its own: an answer. All pieces together are [`Tokenizer::decode`]'s text.
    pub fn new(tokenizer: Arc<Tokenizer>, skip_special: SkipSpecial) -> Self {
        let strips_space = tokenizer.strips_first_space;
        Self {
            tokenizer,
            skip_special,
            pending: Vec::new(),
            strips_space,
            strips_space_at_start: strips_space,
        }
    }

    /// Decodes what goes on another text, whose last word a leading space sets off.
    pub fn continuing(tokenizer: Arc<Tokenizer>, skip_special: SkipSpecial) -> Self {
        Self {
            strips_space: false,
            strips_space_at_start: false,
            ..Self::new(tokenizer, skip_special)
        }
    }

    /// The text that this token makes certain.
    pub fn push(&mut self, id: u32) -> String {
        self.tokenizer.append_bytes(
            id,
            self.skip_special,
            &mut self.strips_space,
            &mut self.pending,
        );
        let mut text = String::new();
        drain_characters(&mut self.pending, &mut text);
        text
    }

    /// Ends the text: an unfinished character becomes U+FFFD. The decoder then stands at a start.
    pub fn finish(&mut self) -> String {
        let rest = String::from_utf8_lossy(&self.pending).into_owned();
        self.reset();
        rest
    }

    /// Back to the start of a text.
    pub fn reset(&mut self) {
        self.pending.clear();
        self.strips_space = self.strips_space_at_start;
    }
}

/// Moves whole characters from `bytes` to `text`.
fn drain_characters(bytes: &mut Vec<u8>, text: &mut String) {
    let mut done = 0;
    loop {
        match str::from_utf8(&bytes[done..]) {
            Ok(valid) => {
                text.push_str(valid);
                done = bytes.len();
                break;
            }
            Err(error) => {
                let valid_end = done + error.valid_up_to();
                text.push_str(&String::from_utf8_lossy(&bytes[done..valid_end]));
                done = valid_end;
                match error.error_len() {
                    Some(len) => {
                        text.push(char::REPLACEMENT_CHARACTER);
                        done += len;
                    }
                    None => break,
                }
            }
        }
    }
    bytes.drain(..done);
}

impl Detokenize for StreamDecoder {
    fn push(&mut self, id: u32) -> String {
        Self::push(self, id)
    }

    fn finish(&mut self) -> String {
        Self::finish(self)
    }

    fn reset(&mut self) {
        Self::reset(self);
    }

    fn token_bytes(&self, id: u32) -> Vec<u8> {
        self.tokenizer.token_bytes(id).map(|bytes| bytes.into_owned()).unwrap_or_default()
    }
}
