//! How do T5's and XLM-R's vocabularies encode: of all ways to cut a text, the most likely one?

use std::collections::HashMap;

use tokenizers::models::unigram::Unigram;
use tokenizers::tokenizer::Model;

use super::TokenizerError;
use super::charsmap::CharsMap;
use super::error::TokenizerError as Error;
use super::sentencepiece::SPACE;
use super::vocab::{TokenKind, Vocab, check_len};
use crate::gguf::Metadata;

/// Single characters and what stands for each, of containers that carry no compiled table: numbers
/// of the one, texts of the other, as many.
const CHARACTERS_KEY: &str = "portico.tokenizer.characters";
const REPLACEMENTS_KEY: &str = "portico.tokenizer.replacements";

pub struct UnigramPieces {
    charsmap: Option<CharsMap>,
    characters: HashMap<char, String>,
    /// Runs of spaces become one; those at the ends go.
    removes_extra_spaces: bool,
    add_space_prefix: bool,
    model: Unigram,
}

impl UnigramPieces {
    pub fn from_gguf(
        metadata: &Metadata,
        vocab: &Vocab,
        unknown_id: Option<u32>,
    ) -> Result<Self, TokenizerError> {
        let scores = metadata.f32s("tokenizer.ggml.scores")?;
        check_len("tokenizer.ggml.scores", scores.len(), vocab.len())?;
        let unknown_id = unknown_id
            .or_else(|| vocab.id("<unk>"))
            .ok_or_else(|| Error::MissingToken("<unk>".to_owned()))?;
        let has_bytes = vocab.iter().any(|(_, _, kind)| kind == TokenKind::Byte);
        let pieces = vocab
            .iter()
            .zip(scores)
            .map(|((id, text, kind), &score)| {
                let text = match kind {
                    // Never made from text; their place is held by what no text holds.
                    TokenKind::Control | TokenKind::Unknown => format!("\u{10ffff}{id}"),
                    _ => text.to_owned(),
                };
                (text, f64::from(score))
            })
            .collect();
        let charsmap = match metadata.opt_u8s("tokenizer.ggml.precompiled_charsmap")? {
            Some(bytes) if !bytes.is_empty() => Some(CharsMap::from_bytes(&bytes)?),
            _ => None,
        };
        Ok(Self {
            charsmap,
            characters: characters(metadata)?,
            removes_extra_spaces: metadata
                .opt_bool("tokenizer.ggml.remove_extra_whitespaces")?
                .unwrap_or(true),
            add_space_prefix: metadata.opt_bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true),
            model: Unigram::from(pieces, Some(unknown_id as usize), has_bytes)?,
        })
    }

    pub fn adds_space_prefix(&self) -> bool {
        self.add_space_prefix
    }

    pub fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), TokenizerError> {
        let mapped = match &self.charsmap {
            Some(charsmap) => charsmap.map(text),
            None if self.characters.is_empty() => text.to_owned(),
            None => self.replaced(text),
        };
        let mut escaped = String::with_capacity(mapped.len() * 2);
        if self.removes_extra_spaces {
            for word in mapped.split(' ').filter(|word| !word.is_empty()) {
                if self.add_space_prefix || !escaped.is_empty() {
                    escaped.push(SPACE);
                }
                escaped.push_str(word);
            }
        } else if !mapped.is_empty() {
            if self.add_space_prefix {
                escaped.push(SPACE);
            }
            escaped.extend(mapped.chars().map(|c| if c == ' ' { SPACE } else { c }));
        }
        ids.extend(self.model.tokenize(&escaped)?.iter().map(|token| token.id));
        Ok(())
    }

    fn replaced(&self, text: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        for c in text.chars() {
            match self.characters.get(&c) {
                Some(replacement) => replaced.push_str(replacement),
                None => replaced.push(c),
            }
        }
        replaced
    }
}

fn characters(metadata: &Metadata) -> Result<HashMap<char, String>, TokenizerError> {
    let Some(characters) = metadata.opt_u32s(CHARACTERS_KEY)? else { return Ok(HashMap::new()) };
    let replacements = metadata.strings(REPLACEMENTS_KEY)?;
    check_len(REPLACEMENTS_KEY, replacements.len(), characters.len())?;
    let pairs = characters.iter().zip(replacements.iter());
    let known = pairs.filter_map(|(&c, text)| Some((char::from_u32(c)?, text.to_owned())));
    Ok(known.collect())
}
