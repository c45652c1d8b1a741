//! How does text become token ids and back, as the model's own file says?
//!
//! Everything is built from GGUF metadata (`tokenizer.ggml.*`); tables and models come from the
//! `tokenizers` crate except SentencePiece's merging, which a GGUF describes by scores alone.

mod byte_level;
mod charsmap;
mod error;
mod fit;
mod sentencepiece;
mod special;
mod stream;
mod unigram;
mod vocab;
mod wordpiece;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use error::TokenizerError;
pub use fit::fit;
pub use stream::StreamDecoder;
pub use vocab::{TokenKind, VOCAB_MAX};

use crate::gguf::Metadata;
use byte_level::ByteLevelBpe;
use sentencepiece::{SPACE, SentencePiece};
use special::{Fragment, SpecialMatcher};
use unigram::UnigramPieces;
use vocab::Vocab;
use wordpiece::WordPieces;

/// Whether the tokens that the model expects around a text (`<bos>`, `[CLS]` … `[SEP]`) are added.
/// A chat template writes them itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddSpecial {
    Yes,
    No,
}

/// Whether `<|im_start|>` in a text is that token or 12 characters. A rendered template's is; a
/// person's is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseSpecial {
    Yes,
    No,
}

/// Whether control tokens are left out of decoded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipSpecial {
    Yes,
    No,
}

/// Tokens that end an answer beside the ones that the metadata names, as families write them (after
/// llama.cpp's list in `llama-vocab.cpp`).
const END_TEXTS: &[&str] = &[
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<EOT>",
    "_<EOT>",
];

enum Model {
    ByteLevel(ByteLevelBpe),
    SentencePiece(SentencePiece),
    WordPiece(WordPieces),
    Unigram(UnigramPieces),
}

/// A model's tokenizer.
pub struct Tokenizer {
    vocab: Vocab,
    model: Model,
    /// User-defined tokens: text that always is one token.
    always: SpecialMatcher,
    /// Those, control tokens and the unknown token.
    parsed: SpecialMatcher,
    bos_id: Option<u32>,
    eos_id: Option<u32>,
    end_ids: Vec<u32>,
    /// Added before and behind by [`AddSpecial::Yes`].
    prefix_ids: Vec<u32>,
    suffix_ids: Vec<u32>,
    /// A text's first word is encoded with a space that decoding takes away again.
    strips_first_space: bool,
}

impl Tokenizer {
    /// # Errors
    /// Names a kind of tokenizer that this build does not know, or what is wrong in the metadata.
    pub fn from_gguf(metadata: &Metadata) -> Result<Self, TokenizerError> {
        let kind = metadata.str("tokenizer.ggml.model")?;
        if !["gpt2", "llama", "bert", "t5"].contains(&kind) {
            return Err(TokenizerError::UnknownModel(kind.to_owned()));
        }
        let vocab = Vocab::from_gguf(metadata)?;
        let id = |key| token_id(metadata, key, vocab.len());
        let bos_id = id("tokenizer.ggml.bos_token_id")?;
        let eos_id = id("tokenizer.ggml.eos_token_id")?;
        let unknown_id = id("tokenizer.ggml.unknown_token_id")?;

        // What a family adds where the file says nothing, as llama.cpp has it.
        let (model, adds_bos, adds_eos) = match kind {
            "gpt2" => {
                let bpe = ByteLevelBpe::from_gguf(metadata, &vocab)?;
                let is_llama = bpe.adds_bos_by_default();
                (Model::ByteLevel(bpe), is_llama, false)
            }
            "llama" => {
                let model = SentencePiece::from_gguf(metadata, &vocab)?;
                (Model::SentencePiece(model), true, false)
            }
            "bert" => (Model::WordPiece(WordPieces::new(&vocab, unknown_id)?), true, true),
            _ => {
                let model = UnigramPieces::from_gguf(metadata, &vocab, unknown_id)?;
                (Model::Unigram(model), false, true)
            }
        };
        let is_bert = matches!(model, Model::WordPiece(_));
        let adds_bos = metadata.opt_bool("tokenizer.ggml.add_bos_token")?.unwrap_or(adds_bos);
        let adds_eos = match metadata.opt_bool("tokenizer.ggml.add_eos_token")? {
            Some(adds_eos) if !is_bert => adds_eos,
            _ => metadata.opt_bool("tokenizer.ggml.add_sep_token")?.unwrap_or(adds_eos),
        };
        // BERT's are called class and separator; the second key is misspelt in every file.
        let first_id = match id("tokenizer.ggml.cls_token_id")? {
            Some(class_id) if is_bert => Some(class_id),
            _ => bos_id,
        };
        let last_id = match id("tokenizer.ggml.seperator_token_id")? {
            Some(separator_id) if is_bert => Some(separator_id),
            _ => eos_id,
        };
        let needed = |adds: bool, id: Option<u32>, key: &str| match (adds, id) {
            (true, None) => Err(TokenizerError::MissingToken(key.to_owned())),
            (true, Some(id)) => Ok(vec![id]),
            (false, _) => Ok(Vec::new()),
        };
        let prefix_ids = needed(adds_bos, first_id, "tokenizer.ggml.bos_token_id")?;
        let suffix_ids = needed(adds_eos, last_id, "tokenizer.ggml.eos_token_id")?;

        let mut end_ids: Vec<u32> =
            [eos_id, id("tokenizer.ggml.eot_token_id")?, id("tokenizer.ggml.eom_token_id")?]
                .into_iter()
                .chain(END_TEXTS.iter().map(|text| vocab.id(text)))
                .flatten()
                .collect();
        end_ids.sort_unstable();
        end_ids.dedup();

        let strips_first_space = match &model {
            Model::ByteLevel(_) => false,
            Model::SentencePiece(model) => model.adds_space_prefix(),
            Model::WordPiece(_) => true,
            Model::Unigram(model) => model.adds_space_prefix(),
        };
        let always = SpecialMatcher::new(&vocab, &[TokenKind::UserDefined]);
        let parsed = SpecialMatcher::new(
            &vocab,
            &[TokenKind::UserDefined, TokenKind::Control, TokenKind::Unknown],
        );
        Ok(Self {
            vocab,
            model,
            always,
            parsed,
            bos_id,
            eos_id,
            end_ids,
            prefix_ids,
            suffix_ids,
            strips_first_space,
        })
    }

    /// The token ids of `text`.
    ///
    /// # Errors
    /// Where the tokenizer library refuses, which no text is known to make it do.
    pub fn encode(
        &self,
        text: &str,
        add_special: AddSpecial,
        parse_special: ParseSpecial,
    ) -> Result<Vec<u32>, TokenizerError> {
        let mut ids = Vec::with_capacity(text.len() / 3 + 2);
        if add_special == AddSpecial::Yes {
            ids.extend_from_slice(&self.prefix_ids);
        }
        let matcher = match parse_special {
            ParseSpecial::Yes => &self.parsed,
            ParseSpecial::No => &self.always,
        };
        // At the start, and behind what a text cannot hold.
        let mut follows_special = true;
        for fragment in matcher.split(text) {
            match fragment {
                Fragment::Token(id) => ids.push(id),
                Fragment::Text(text) => match &self.model {
                    Model::ByteLevel(bpe) => bpe.encode(text, &mut ids)?,
                    Model::SentencePiece(model) => {
                        model.encode(&self.vocab, text, follows_special, &mut ids);
                    }
                    Model::WordPiece(model) => model.encode(text, &mut ids)?,
                    Model::Unigram(model) => model.encode(text, &mut ids)?,
                },
            }
            // A user-defined token is a piece of the text around it.
            follows_special = match fragment {
                Fragment::Token(id) => self.vocab.kind(id) != Some(TokenKind::UserDefined),
                Fragment::Text(_) => false,
            };
        }
        if add_special == AddSpecial::Yes {
            ids.extend_from_slice(&self.suffix_ids);
        }
        Ok(ids)
    }

    /// The text of `ids`; bytes that are no UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[u32], skip_special: SkipSpecial) -> String {
        let mut bytes = Vec::with_capacity(ids.len() * 4);
        let mut strips_space = self.strips_first_space;
        for &id in ids {
            self.append_bytes(id, skip_special, &mut strips_space, &mut bytes);
        }
        match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }

    /// What a token adds to a text's bytes.
    fn append_bytes(
        &self,
        id: u32,
        skip_special: SkipSpecial,
        strips_space: &mut bool,
        bytes: &mut Vec<u8>,
    ) {
        let kind = self.vocab.kind(id);
        let is_special = matches!(kind, Some(TokenKind::Control | TokenKind::Unknown));
        if is_special && skip_special == SkipSpecial::Yes {
            return;
        }
        match self.token_bytes(id) {
            Some(token) => {
                let token = match token.strip_prefix(b" ") {
                    Some(rest) if *strips_space && kind == Some(TokenKind::Normal) => rest,
                    _ => &token,
                };
                bytes.extend_from_slice(token);
            }
            None => bytes.extend_from_slice("\u{fffd}".as_bytes()),
        }
        *strips_space = false;
    }

    /// The bytes that a token stands for, which may be a part of a character; a word's leading space
    /// is one of them. `None` for an id outside the vocabulary.
    pub fn token_bytes(&self, id: u32) -> Option<Cow<'_, [u8]>> {
        let text = self.vocab.text(id)?;
        let is_plain = matches!(self.vocab.kind(id)?, TokenKind::Normal | TokenKind::Byte);
        if !is_plain {
            return Some(Cow::Borrowed(text.as_bytes()));
        }
        Some(match &self.model {
            Model::ByteLevel(_) => Cow::Owned(byte_level::bytes_from_text(text)),
            Model::WordPiece(model) => Cow::Owned(model.text_of_piece(text).into_bytes()),
            Model::SentencePiece(_) | Model::Unigram(_) => {
                match sentencepiece::byte_from_text(text) {
                    Some(byte) if self.vocab.kind(id) == Some(TokenKind::Byte) => {
                        Cow::Owned(vec![byte])
                    }
                    _ if text.contains(SPACE) => Cow::Owned(text.replace(SPACE, " ").into_bytes()),
                    _ => Cow::Borrowed(text.as_bytes()),
                }
            }
        })
    }

    /// A token as the file writes it: `Ġword`, `▁word`, `<|im_start|>`.
    pub fn token_text(&self, id: u32) -> Option<&str> {
        self.vocab.text(id)
    }

    pub fn token_kind(&self, id: u32) -> Option<TokenKind> {
        self.vocab.kind(id)
    }

    /// The token that the file writes exactly so.
    pub fn token_id(&self, text: &str) -> Option<u32> {
        self.vocab.id(text)
    }

    pub fn n_vocab(&self) -> usize {
        self.vocab.len()
    }

    pub fn bos_id(&self) -> Option<u32> {
        self.bos_id
    }

    pub fn eos_id(&self) -> Option<u32> {
        self.eos_id
    }

    /// Every token that ends an answer, ascending.
    pub fn end_ids(&self) -> &[u32] {
        &self.end_ids
    }

    /// Whether [`AddSpecial::Yes`] puts a token before a text.
    pub fn adds_bos(&self) -> bool {
        !self.prefix_ids.is_empty()
    }
}

/// The id that `key` names, if it names one; writers mark none by all bits set.
fn token_id(
    metadata: &Metadata,
    key: &'static str,
    n_vocab: usize,
) -> Result<Option<u32>, TokenizerError> {
    match metadata.opt_u32(key)? {
        None | Some(u32::MAX) => Ok(None),
        Some(id) if (id as usize) < n_vocab => Ok(Some(id)),
        Some(id) => Err(TokenizerError::TokenId { key, id, n_vocab }),
    }
}
