//! How do BERT's embedders encode: words cleaned and lower-cased, each cut into its longest known
//! pieces?

use tokenizers::models::bpe::Vocab as IdOfText;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::tokenizer::{
    Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer,
};

use super::TokenizerError;
use super::error::TokenizerError as Error;
use super::sentencepiece::SPACE;
use super::vocab::{TokenKind, Vocab};

/// Marks a piece that goes on a word, in BERT's own files.
const CONTINUES: &str = "##";

pub struct WordPieces {
    normalizer: BertNormalizer,
    model: WordPiece,
    style: Style,
}

/// How the file marks that a piece begins a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// GGUF's converters: `▁word`, `piece`.
    LeadingSpace,
    /// BERT's own: `word`, `##piece`.
    Continuation,
}

impl WordPieces {
    pub fn new(vocab: &Vocab, unknown_id: Option<u32>) -> Result<Self, TokenizerError> {
        let normal = || vocab.iter().filter(|(_, _, kind)| *kind == TokenKind::Normal);
        let style = if normal().any(|(_, text, _)| text.starts_with(SPACE)) {
            Style::LeadingSpace
        } else {
            Style::Continuation
        };
        let unknown = unknown_id
            .and_then(|id| vocab.text(id))
            .or_else(|| vocab.id("[UNK]").map(|_| "[UNK]"))
            .ok_or_else(|| Error::MissingToken("[UNK]".to_owned()))?;
        let ids: IdOfText = vocab
            .iter()
            .map(|(id, text, kind)| {
                let text = match (kind, style, text.strip_prefix(SPACE)) {
                    (TokenKind::Normal, Style::LeadingSpace, Some(word)) => word.to_owned(),
                    (TokenKind::Normal, Style::LeadingSpace, None) => format!("{CONTINUES}{text}"),
                    _ => text.to_owned(),
                };
                (text, id)
            })
            .collect();
        let model = WordPiece::builder().vocab(ids).unk_token(unknown.to_owned()).build()?;

        // A GGUF does not say whether its model tells upper from lower case. A vocabulary without a
        // single upper-case letter was made from lower-cased text.
        let is_cased = normal().any(|(_, text, _)| text.bytes().any(|b| b.is_ascii_uppercase()));
        let normalizer = BertNormalizer::new(true, true, Some(!is_cased), !is_cased);
        Ok(Self { normalizer, model, style })
    }

    pub fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), TokenizerError> {
        let mut normalized = NormalizedString::from(text);
        self.normalizer.normalize(&mut normalized)?;
        let mut words = PreTokenizedString::from(normalized);
        BertPreTokenizer.pre_tokenize(&mut words)?;
        words.tokenize(|word| self.model.tokenize(word.get()))?;
        for (_, _, tokens) in words.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            ids.extend(tokens.iter().flatten().map(|token| token.id));
        }
        Ok(())
    }

    /// A piece as text: a word with a space before it, the rest of one without.
    pub fn text_of_piece(&self, piece: &str) -> String {
        match self.style {
            Style::LeadingSpace => piece.replace(SPACE, " "),
            Style::Continuation => match piece.strip_prefix(CONTINUES) {
                Some(rest) => rest.to_owned(),
                None => format!(" {piece}"),
            },
        }
    }
}
