//! What does a `tokenizer.json` say, in GGUF's words? Cutting and padding, which the file may name,
//! are left out.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portico_shared::gguf::{Metadata, StringArray, Value};
use portico_shared::model::ModelError;
use serde::Deserialize;

#[derive(Deserialize)]
struct TokenizerJson {
    model: Model,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    #[serde(default)]
    normalizer: serde_json::Value,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    vocab: serde_json::Value,
    #[serde(default)]
    unk_id: Option<u32>,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    #[serde(default)]
    content: String,
    #[serde(default)]
    special: bool,
}

/// GGUF's numbers of kinds of tokens.
const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;

fn invalid(reason: impl std::fmt::Display) -> ModelError {
    ModelError::invalid(format!("tokenizer.json: {reason}"))
}

/// The tokenizer of a model whose embedding has `n_vocab` rows.
///
/// # Errors
/// A kind of tokenizer other than WordPiece and Unigram, and what contradicts itself.
pub fn metadata(json: &str, n_vocab: usize) -> Result<Metadata, ModelError> {
    let tokenizer: TokenizerJson = serde_json::from_str(json).map_err(invalid)?;
    match tokenizer.model.kind.as_deref() {
        None | Some("WordPiece") => word_piece(tokenizer, n_vocab),
        Some("Unigram") => unigram(tokenizer, n_vocab),
        Some(kind) => Err(ModelError::unsupported(format!("a tokenizer of the kind {kind}"))),
    }
}

fn kinds(tokenizer: &TokenizerJson, n_pieces: usize) -> Vec<i32> {
    let mut kinds = vec![NORMAL; n_pieces];
    for token in tokenizer.added_tokens.iter().filter(|token| token.special) {
        if let Some(kind) = kinds.get_mut(token.id as usize) {
            *kind = CONTROL;
        }
    }
    kinds
}

fn check_len(n_pieces: usize, n_vocab: usize) -> Result<(), ModelError> {
    match n_pieces > n_vocab {
        true => Err(invalid(format!("{n_pieces} pieces for {n_vocab} rows"))),
        false => Ok(()),
    }
}

/// Pieces as GGUF's converters write them: `▁word`, and `piece` for what goes on a word.
fn word_piece(mut tokenizer: TokenizerJson, n_vocab: usize) -> Result<Metadata, ModelError> {
    let vocab: HashMap<String, u32> =
        serde_json::from_value(tokenizer.model.vocab.take()).map_err(invalid)?;
    let mut pieces = vec![""; vocab.len()];
    for (piece, &id) in &vocab {
        let place = pieces.get_mut(id as usize);
        *place.ok_or_else(|| invalid(format!("the id {id} has no place")))? = piece;
    }
    check_len(pieces.len(), n_vocab)?;
    let kinds = kinds(&tokenizer, pieces.len());
    let id = |piece: &str| {
        vocab.get(piece).copied().ok_or_else(|| invalid(format!("`{piece}` is missing")))
    };
    let (class, separator, unknown) = (id("[CLS]")?, id("[SEP]")?, id("[UNK]")?);
    let written = pieces.iter().zip(&kinds).map(|(piece, &kind)| match piece.strip_prefix("##") {
        _ if kind != NORMAL => (*piece).to_owned(),
        Some(rest) => rest.to_owned(),
        None => format!("\u{2581}{piece}"),
    });
    let written: Vec<String> = written.collect();
    let tokens: StringArray = written.iter().collect();
    let pairs = [
        ("tokenizer.ggml.model", Value::from("bert")),
        ("tokenizer.ggml.tokens", Value::from(tokens)),
        ("tokenizer.ggml.token_type", Value::from(kinds)),
        ("tokenizer.ggml.unknown_token_id", Value::from(unknown)),
        ("tokenizer.ggml.cls_token_id", Value::from(class)),
        ("tokenizer.ggml.seperator_token_id", Value::from(separator)),
    ];
    Ok(pairs.into_iter().collect())
}

/// XLM-R's pieces with their scores.
fn unigram(mut tokenizer: TokenizerJson, n_vocab: usize) -> Result<Metadata, ModelError> {
    let vocab: Vec<(String, f64)> =
        serde_json::from_value(tokenizer.model.vocab.take()).map_err(invalid)?;
    let mut pieces: Vec<&str> = vocab.iter().map(|(piece, _)| piece.as_str()).collect();
    let mut scores: Vec<f32> = vocab.iter().map(|(_, score)| *score as f32).collect();
    // Added tokens may stand behind the pieces: `<mask>`.
    for token in &tokenizer.added_tokens {
        if token.id as usize == pieces.len() {
            pieces.push(&token.content);
            scores.push(0.0);
        }
    }
    check_len(pieces.len(), n_vocab)?;
    let unknown = tokenizer.model.unk_id.ok_or_else(|| invalid("no unknown token"))?;
    let mut kinds = kinds(&tokenizer, pieces.len());
    *kinds.get_mut(unknown as usize).ok_or_else(|| invalid("the unknown token has no place"))? =
        UNKNOWN;
    let id = |piece: &str| {
        let place = pieces.iter().position(|other| *other == piece);
        place.map(|id| id as u32).ok_or_else(|| invalid(format!("`{piece}` is missing")))
    };
    let (bos, eos) = (id("<s>")?, id("</s>")?);
    let tokens: StringArray = pieces.iter().collect();
    let mut metadata: Metadata = [
        ("tokenizer.ggml.model", Value::from("t5")),
        ("tokenizer.ggml.tokens", Value::from(tokens)),
        ("tokenizer.ggml.token_type", Value::from(kinds)),
        ("tokenizer.ggml.scores", Value::from(scores)),
        ("tokenizer.ggml.unknown_token_id", Value::from(unknown)),
        ("tokenizer.ggml.bos_token_id", Value::from(bos)),
        ("tokenizer.ggml.eos_token_id", Value::from(eos)),
        ("tokenizer.ggml.add_bos_token", Value::from(true)),
        ("tokenizer.ggml.add_eos_token", Value::from(true)),
    ]
    .into_iter()
    .collect();
    if let Some(charsmap) = charsmap(&tokenizer.normalizer) {
        let bytes = STANDARD.decode(charsmap).map_err(invalid)?;
        metadata.insert("tokenizer.ggml.precompiled_charsmap", bytes);
    }
    Ok(metadata)
}

/// The compiled table of characters, alone or within a sequence of normalizers.
fn charsmap(normalizer: &serde_json::Value) -> Option<&str> {
    let own = normalizer.get("precompiled_charsmap").and_then(serde_json::Value::as_str);
    let within = || normalizer.get("normalizers")?.as_array()?.iter().find_map(charsmap);
    own.or_else(within)
}

#[cfg(test)]
mod tests {
    use portico_shared::tokenizer::{AddSpecial, ParseSpecial, Tokenizer};
    use serde_json::json;

    use super::*;

    #[test]
    fn xlm_rs_pieces_are_cut_by_their_scores() {
        let json = json!({
            "added_tokens": [
                { "id": 0, "content": "<s>", "special": true },
                { "id": 1, "content": "<pad>", "special": true },
                { "id": 2, "content": "</s>", "special": true },
                { "id": 3, "content": "<unk>", "special": true },
                { "id": 8, "content": "<mask>", "special": true },
            ],
            "normalizer": { "type": "Sequence", "normalizers": [] },
            "model": {
                "type": "Unigram", "unk_id": 3,
                "vocab": [
                    ["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0],
                    ["\u{2581}Rat", -3.0], ["haus", -4.0], ["\u{2581}Rathaus", -5.0], ["\u{2581}", -2.0],
                ],
            },
        });
        let metadata = metadata(&json.to_string(), 9).expect("a sound tokenizer");
        let tokenizer = Tokenizer::from_gguf(&metadata).expect("in GGUF's words");
        let encode = |text| tokenizer.encode(text, AddSpecial::Yes, ParseSpecial::No);
        // One piece of -5 before two of -7 together.
        assert_eq!(encode("Rathaus").expect("ids"), [0, 6, 2]);
        assert_eq!(encode("Rat  haus").expect("ids"), [0, 4, 7, 5, 2]);
        assert_eq!(tokenizer.token_id("<mask>"), Some(8));
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for json in [
            json!({ "model": { "type": "BPE", "vocab": {} } }),
            json!({ "model": { "type": "Unigram", "vocab": [["a", 0.0]] } }),
            json!({ "model": { "type": "Unigram", "unk_id": 7, "vocab": [["a", 0.0]] } }),
            json!({ "model": { "type": "WordPiece", "vocab": { "a": 5 } } }),
        ] {
            assert!(metadata(&json.to_string(), 3).is_err(), "{json}");
        }
    }
}
