//! How does GPT-2's family encode: text cut by a regular expression, bytes written as visible
//! characters, pairs merged by rank?

use std::sync::LazyLock;

use tokenizers::models::bpe::{BPE, Vocab as IdOfText};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::{
    Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer, SplitDelimiterBehavior,
};

use super::TokenizerError;
use super::error::TokenizerError as Error;
use super::vocab::Vocab;
use crate::gguf::Metadata;

/// Contractions, words, numbers of up to three digits, symbols, white space: Llama 3's split.
const LLAMA_BPE_SPLIT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// As Llama 3's, each digit for itself: Qwen 2's split.
const QWEN2_SPLIT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How text is cut before merging (`tokenizer.ggml.pre`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pre {
    Gpt2,
    SmolLm,
    Qwen2,
    LlamaBpe,
}

impl Pre {
    pub fn from_name(name: &str) -> Result<Self, TokenizerError> {
        Ok(match name {
            "gpt-2" => Self::Gpt2,
            "smollm" => Self::SmolLm,
            "qwen2" => Self::Qwen2,
            "llama-bpe" | "llama3" | "llama-v3" => Self::LlamaBpe,
            _ => return Err(Error::UnknownPre(name.to_owned())),
        })
    }
}

pub struct ByteLevelBpe {
    pre: Pre,
    cuts: Vec<Box<dyn Cut>>,
    bpe: BPE,
}

/// A pre-tokenizer of any type (the library's trait has a generic sibling and is no object).
trait Cut: Send + Sync {
    fn cut(&self, text: &mut PreTokenizedString) -> tokenizers::Result<()>;
}

impl<P: PreTokenizer + Send + Sync> Cut for P {
    fn cut(&self, text: &mut PreTokenizedString) -> tokenizers::Result<()> {
        self.pre_tokenize(text)
    }
}

impl ByteLevelBpe {
    pub fn from_gguf(metadata: &Metadata, vocab: &Vocab) -> Result<Self, TokenizerError> {
        // Files from before the key existed were all split GPT-2's way.
        let pre = Pre::from_name(metadata.opt_str("tokenizer.ggml.pre")?.unwrap_or("gpt-2"))?;
        let merges = metadata
            .strings("tokenizer.ggml.merges")?
            .iter()
            .enumerate()
            .map(|(index, merge)| match merge.split_once(' ') {
                Some((left, right)) if !left.is_empty() && !right.is_empty() => {
                    Ok((left.to_owned(), right.to_owned()))
                }
                _ => Err(Error::Merge { index, merge: merge.to_owned() }),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let ids = vocab.iter().map(|(id, text, _)| (text.to_owned(), id));
        let bpe = BPE::builder()
            .vocab_and_merges(ids.collect::<IdOfText>(), merges)
            // Llama 3 takes a word that is in the vocabulary whole, whatever its merges say.
            .ignore_merges(pre == Pre::LlamaBpe)
            .build()?;

        let by_regex = |regex: &str| -> Result<Box<dyn Cut>, TokenizerError> {
            let pattern = SplitPattern::Regex(regex.to_owned());
            Ok(Box::new(Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?))
        };
        let bytes = |use_regex: bool| Box::new(ByteLevel::new(false, true, use_regex));
        let cuts: Vec<Box<dyn Cut>> = match pre {
            Pre::Gpt2 => vec![bytes(true)],
            Pre::SmolLm => vec![Box::new(Digits::new(true)), bytes(true)],
            Pre::Qwen2 => vec![by_regex(QWEN2_SPLIT)?, bytes(false)],
            Pre::LlamaBpe => vec![by_regex(LLAMA_BPE_SPLIT)?, bytes(false)],
        };
        Ok(Self { pre, cuts, bpe })
    }

    /// Llama 3's files count on it.
    pub fn adds_bos_by_default(&self) -> bool {
        self.pre == Pre::LlamaBpe
    }

    pub fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), TokenizerError> {
        let mut normalized = NormalizedString::from(text);
        // Qwen 2 composes characters first (its `tokenizer.json` says so; llama.cpp leaves it out).
        if self.pre == Pre::Qwen2 {
            NFC.normalize(&mut normalized)?;
        }
        let mut pieces = PreTokenizedString::from(normalized);
        for cut in &self.cuts {
            cut.cut(&mut pieces)?;
        }
        pieces.tokenize(|piece| self.bpe.tokenize(piece.get()))?;
        for (_, _, tokens) in pieces.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            ids.extend(tokens.iter().flatten().map(|token| token.id));
        }
        Ok(())
    }
}

/// The bytes behind a token's visible characters. Characters that stand for no byte (in a token
/// that was added as text) stand for themselves.
pub fn bytes_from_text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match BYTE_OF_CHAR.get(c as usize).copied().flatten() {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// GPT-2's table: printable Latin-1 stands for itself, the other 68 bytes for U+0100 onwards.
static BYTE_OF_CHAR: LazyLock<[Option<u8>; 0x144]> = LazyLock::new(|| {
    let mut table = [None; 0x144];
    let mut next = 0x100;
    for byte in 0..=255u8 {
        if matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff) {
            table[byte as usize] = Some(byte);
        } else {
            table[next] = Some(byte);
            next += 1;
        }
    }
    table
});
