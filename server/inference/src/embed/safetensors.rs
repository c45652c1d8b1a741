//! A sentence-transformers folder: `model.safetensors` with BERT's names, `config.json`,
//! `tokenizer.json`, and the pooling's `config.json`.

use std::collections::HashMap;
use std::fs::File;

use memmap2::Mmap;
use portico_kernels::WeightType;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::gguf::{Metadata, StringArray, Value};
use portico_shared::model::ModelError;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use super::source::{EncoderConfig, Source, Tensor};

#[derive(Deserialize)]
struct Config {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    layer_norm_eps: f32,
    hidden_act: String,
}

#[derive(Deserialize)]
struct Pooling {
    pooling_mode_mean_tokens: bool,
}

#[derive(Deserialize)]
struct TokenizerJson {
    model: TokenizerModel,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct TokenizerModel {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    vocab: serde_json::Value,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    #[serde(default)]
    special: bool,
}

fn json<'a, T: Deserialize<'a>>(name: &str, text: &'a str) -> Result<T, ModelError> {
    serde_json::from_str(text).map_err(|error| ModelError::invalid(format!("{name}: {error}")))
}

pub fn open(
    weights: &File,
    config: &str,
    tokenizer: &str,
    pooling: &str,
    n_ctx: usize,
) -> Result<Source, ApiError> {
    let config: Config = json("config.json", config)?;
    let pooling: Pooling = json("pooling.json", pooling)?;
    if config.model_type != "bert" || config.hidden_act != "gelu" {
        let (kind, act) = (&config.model_type, &config.hidden_act);
        return Err(ModelError::unsupported(format!("an encoder `{kind}` with `{act}`")).into());
    }
    if !pooling.pooling_mode_mean_tokens {
        return Err(ModelError::unsupported("pooling other than the mean of the tokens").into());
    }
    // SAFETY: the library replaces files by renaming, so that a mapped one keeps its bytes.
    let map = unsafe { Mmap::map(weights) };
    let map = map.map_err(|error| ApiError::new(ErrorCode::StorageFailed).detail(error))?;
    let tensors = directory(&map)?;
    let config = EncoderConfig {
        n_layers: config.num_hidden_layers,
        n_embd: config.hidden_size,
        n_heads: config.num_attention_heads,
        n_ff: config.intermediate_size,
        n_vocab: config.vocab_size,
        n_ctx: n_ctx.min(config.max_position_embeddings),
        norm_eps: config.layer_norm_eps,
    };
    let metadata = metadata(json("tokenizer.json", tokenizer)?, config.n_vocab)?;
    Ok(Source { config: config.checked()?, metadata, tensors, map })
}

/// Where tensors lie, under the names that [`Source`] has for them.
fn directory(map: &Mmap) -> Result<HashMap<String, Tensor>, ModelError> {
    let file = SafeTensors::deserialize(map)
        .map_err(|error| ModelError::invalid(format!("model.safetensors: {error}")))?;
    let mut tensors = HashMap::new();
    for (name, view) in file.iter() {
        let Some(name) = our_name(name.strip_prefix("bert.").unwrap_or(name)) else { continue };
        let weight_type = match view.dtype() {
            Dtype::F32 => WeightType::F32,
            Dtype::F16 => WeightType::F16,
            other => {
                return Err(ModelError::unsupported(format!("`{name}` has the type {other:?}")));
            }
        };
        // A view is a part of the map.
        let from = view.data().as_ptr() as usize - map.as_ptr() as usize;
        let bytes = from..from + view.data().len();
        let n_elements = view.shape().iter().product();
        tensors.insert(name, Tensor { weight_type, n_elements, bytes });
    }
    Ok(tensors)
}

fn our_name(name: &str) -> Option<String> {
    let (stem, kind) = name.rsplit_once('.')?;
    let suffix = match kind {
        "weight" => "w",
        "bias" => "b",
        _ => return None,
    };
    if let Some(part) = stem.strip_prefix("embeddings.") {
        return Some(match part {
            "word_embeddings" => "emb.word".to_owned(),
            "position_embeddings" => "emb.pos".to_owned(),
            "token_type_embeddings" => "emb.type".to_owned(),
            "LayerNorm" => format!("emb.ln.{suffix}"),
            _ => return None,
        });
    }
    let (layer, part) = stem.strip_prefix("encoder.layer.")?.split_once('.')?;
    let part = match part {
        "attention.self.query" => "q",
        "attention.self.key" => "k",
        "attention.self.value" => "v",
        "attention.output.dense" => "ao",
        "attention.output.LayerNorm" => "aln",
        "intermediate.dense" => "fi",
        "output.dense" => "fo",
        "output.LayerNorm" => "oln",
        _ => return None,
    };
    Some(format!("l{layer}.{part}.{suffix}"))
}

/// The tokenizer in GGUF's words. Cutting and padding, which the file may name, are left out.
fn metadata(tokenizer: TokenizerJson, n_vocab: usize) -> Result<Metadata, ModelError> {
    let invalid = |reason: String| ModelError::invalid(format!("tokenizer.json: {reason}"));
    if let Some(kind) = tokenizer.model.kind.filter(|kind| kind != "WordPiece") {
        return Err(ModelError::unsupported(format!("a tokenizer of the kind {kind}")));
    }
    let vocab: HashMap<String, u32> = serde_json::from_value(tokenizer.model.vocab)
        .map_err(|error| invalid(error.to_string()))?;
    let mut pieces = vec![""; vocab.len()];
    for (piece, &id) in &vocab {
        let place = pieces.get_mut(id as usize);
        *place.ok_or_else(|| invalid(format!("the id {id} has no place")))? = piece;
    }
    if pieces.len() > n_vocab {
        return Err(invalid(format!("{} pieces for {n_vocab} rows", pieces.len())));
    }
    let mut kinds = vec![1; pieces.len()];
    for token in tokenizer.added_tokens.iter().filter(|token| token.special) {
        if let Some(kind) = kinds.get_mut(token.id as usize) {
            *kind = 3;
        }
    }
    let id = |piece: &str| {
        vocab.get(piece).copied().ok_or_else(|| invalid(format!("`{piece}` is missing")))
    };
    let (class, separator, unknown) = (id("[CLS]")?, id("[SEP]")?, id("[UNK]")?);
    let tokens: StringArray = pieces.iter().collect();
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
