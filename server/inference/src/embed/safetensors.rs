//! A sentence-transformers folder: `model.safetensors` with BERT's names, `config.json`,
//! `tokenizer.json`, and the pooling's `config.json`.

use std::collections::BTreeMap;
use std::fs::File;

use memmap2::Mmap;
use portico_kernels::WeightType;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::model::{EncoderConfig, ModelError, Pooling};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use super::source::{POSITIONS, Source, TYPES, Tensor, WORDS};
use super::tokenizer_json;

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
    #[serde(default)]
    pad_token_id: usize,
}

#[derive(Deserialize)]
struct PoolingJson {
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_cls_token: bool,
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
    let pooling: PoolingJson = json("pooling.json", pooling)?;
    // XLM-R counts positions from behind its padding's.
    let n_unused_positions = match config.model_type.as_str() {
        "bert" => 0,
        "xlm-roberta" => config.pad_token_id + 1,
        _ => usize::MAX,
    };
    if n_unused_positions == usize::MAX || config.hidden_act != "gelu" {
        let (kind, act) = (&config.model_type, &config.hidden_act);
        return Err(ModelError::unsupported(format!("an encoder `{kind}` with `{act}`")).into());
    }
    let pooling = match (pooling.pooling_mode_mean_tokens, pooling.pooling_mode_cls_token) {
        (true, false) => Pooling::Mean,
        (false, true) => Pooling::Cls,
        _ => return Err(ModelError::unsupported("pooling other than mean or CLS").into()),
    };
    // SAFETY: the library replaces files by renaming, so that a mapped one keeps its bytes.
    let map = unsafe { Mmap::map(weights) };
    let map = map.map_err(|error| ApiError::new(ErrorCode::StorageFailed).detail(error))?;
    let mut tensors = directory(&map)?;
    if let Some(positions) = tensors.get_mut(POSITIONS) {
        let n_values = (n_unused_positions * config.hidden_size).min(positions.n_elements);
        let value_bytes = positions.bytes.len() / positions.n_elements.max(1);
        positions.bytes.start += n_values * value_bytes;
        positions.n_elements -= n_values;
    }
    let config = EncoderConfig {
        n_layers: config.num_hidden_layers,
        n_embd: config.hidden_size,
        n_heads: config.num_attention_heads,
        n_ff: config.intermediate_size,
        n_vocab: config.vocab_size,
        n_ctx: n_ctx.min(config.max_position_embeddings.saturating_sub(n_unused_positions)),
        norm_eps: config.layer_norm_eps,
        pooling,
    };
    let metadata = tokenizer_json::metadata(tokenizer, config.n_vocab)?;
    Ok(Source { config: config.checked()?, metadata, tensors, map })
}

/// Some writers keep the name of the whole model's class before every tensor's.
fn unprefixed(name: &str) -> &str {
    let class = ["bert.", "roberta."].into_iter().find(|class| name.starts_with(class));
    class.map_or(name, |class| &name[class.len()..])
}

/// Where tensors lie, under the names that [`Source`] has for them.
fn directory(map: &Mmap) -> Result<BTreeMap<String, Tensor>, ModelError> {
    let file = SafeTensors::deserialize(map)
        .map_err(|error| ModelError::invalid(format!("model.safetensors: {error}")))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        let Some(name) = gguf_name(unprefixed(name)) else { continue };
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

fn gguf_name(name: &str) -> Option<String> {
    let (stem, kind) =
        name.rsplit_once('.').filter(|(_, kind)| ["weight", "bias"].contains(kind))?;
    if let Some(part) = stem.strip_prefix("embeddings.") {
        return Some(match part {
            "word_embeddings" => WORDS.to_owned(),
            "position_embeddings" => POSITIONS.to_owned(),
            "token_type_embeddings" => TYPES.to_owned(),
            "LayerNorm" => format!("token_embd_norm.{kind}"),
            _ => return None,
        });
    }
    let (layer, part) = stem.strip_prefix("encoder.layer.")?.split_once('.')?;
    let part = match part {
        "attention.self.query" => "attn_q",
        "attention.self.key" => "attn_k",
        "attention.self.value" => "attn_v",
        "attention.output.dense" => "attn_output",
        "attention.output.LayerNorm" => "attn_output_norm",
        "intermediate.dense" => "ffn_up",
        "output.dense" => "ffn_down",
        "output.LayerNorm" => "layer_output_norm",
        _ => return None,
    };
    Some(format!("blk.{layer}.{part}.{kind}"))
}
