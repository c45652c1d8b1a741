//! A piece of an answer, and the detokeniser that its text comes from.

use crate::sampling::TokenScore;
use crate::tools::CallDelta;

/// Tokens → text as they come. Implemented by the tokenizer's stream decoder and by the tests'
/// script.
pub trait Detokenize {
    /// The text that this token makes certain: never half a character.
    fn push(&mut self, id: u32) -> String;
    /// What an answer that ends here still owes, with unfinished characters replaced.
    fn finish(&mut self) -> String;
    /// Back to the start of a text.
    fn reset(&mut self);
    /// A single token's bytes, which may be a part of a character.
    fn token_bytes(&self, id: u32) -> Vec<u8>;
}

/// Text, calls and tokens that an answer grew by. What a reader has of the text and the calls is
/// always exactly what the tokens that it has say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    pub text: String,
    /// What calls of tools grew by; their text is not in `text`.
    pub calls: Vec<CallDelta>,
    pub token_ids: Vec<u32>,
    /// One for each token when log-probabilities were asked for, else empty. Tokens taken over from
    /// an earlier part of the answer have none.
    pub scores: Vec<ScoredToken>,
}

impl Delta {
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.calls.is_empty() && self.token_ids.is_empty()
    }
}

/// A token with its log-probability and alternatives.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredToken {
    pub id: u32,
    pub bytes: Vec<u8>,
    /// None for a prompt's first token, which nothing stands before.
    pub logprob: Option<f32>,
    /// The most likely tokens at this place, best first.
    pub top: Vec<Alternative>,
    /// Characters of the whole text (echo and answer) before it.
    pub offset_chars: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    pub id: u32,
    pub bytes: Vec<u8>,
    pub logprob: f32,
}

impl ScoredToken {
    pub(super) fn new(detokenizer: &impl Detokenize, score: TokenScore, offset_chars: u32) -> Self {
        let top = score.top.into_iter().map(|(id, logprob)| Alternative {
            id,
            bytes: detokenizer.token_bytes(id),
            logprob,
        });
        Self {
            id: score.id,
            bytes: detokenizer.token_bytes(score.id),
            logprob: Some(score.logprob),
            top: top.collect(),
            offset_chars,
        }
    }

    pub(super) fn unscored(detokenizer: &impl Detokenize, id: u32, offset_chars: u32) -> Self {
        let bytes = detokenizer.token_bytes(id);
        Self { id, bytes, logprob: None, top: Vec::new(), offset_chars }
    }
}
