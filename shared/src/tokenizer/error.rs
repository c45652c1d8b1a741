//! Why can a tokenizer not be built, or a text not be encoded?

use crate::error::{ApiError, ErrorCode};
use crate::gguf::MetadataError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenizerError {
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// `tokenizer.ggml.model` of a kind that this build does not know.
    #[error("its tokenizer is of the kind `{0}`, which this build does not read")]
    UnknownModel(String),
    /// `tokenizer.ggml.pre` of a kind that this build does not know.
    #[error("its text is split the `{0}` way, which this build does not know")]
    UnknownPre(String),
    #[error("`{key}` has {len} entries for a vocabulary of {n_vocab}")]
    Length { key: &'static str, len: usize, n_vocab: usize },
    #[error("`{key}` names the token {id}, but the vocabulary has {n_vocab}")]
    TokenId { key: &'static str, id: u32, n_vocab: usize },
    #[error("the vocabulary has {0} tokens: 1 to {max} are read", max = super::VOCAB_MAX)]
    VocabSize(usize),
    #[error("token {id} has an unknown kind ({kind})")]
    TokenKind { id: usize, kind: i32 },
    #[error("merge {index} (`{merge}`) is not two pieces separated by a space")]
    Merge { index: usize, merge: String },
    #[error("the vocabulary lacks `{0}`, which this kind of tokenizer needs")]
    MissingToken(String),
    #[error("its table of character replacements cannot be read: {0}")]
    CharsMap(String),
    /// The tokenizer library refused the vocabulary or a text.
    #[error("{0}")]
    Library(String),
}

impl From<tokenizers::Error> for TokenizerError {
    fn from(error: tokenizers::Error) -> Self {
        Self::Library(error.to_string())
    }
}

impl From<TokenizerError> for ApiError {
    fn from(error: TokenizerError) -> Self {
        let code = match error {
            TokenizerError::UnknownModel(_) | TokenizerError::UnknownPre(_) => {
                ErrorCode::ModelUnsupported
            }
            _ => ErrorCode::ModelInvalid,
        };
        Self::new(code).with("reason", &error).detail(format!("{error:?}"))
    }
}
