//! How does an encoder of any format become a GGUF, which browsers read?
//!
//! Quantised matrices keep their blocks; those of floats become Q8_0, so that a person downloads a
//! quarter of them. Vectors, positions and types are float32, as llama.cpp has them.

use portico_kernels::{WeightType, dequantise_row, q8_0_row};
use portico_shared::gguf::{GgmlDType, GgufWriter};
use portico_shared::model::{ENCODER_ARCHITECTURE, ModelError};

use super::source::{POSITIONS, Source, TYPES, Tensor};

/// What a tensor is in the file, and its shape in ggml's order.
fn shape(source: &Source, name: &str, tensor: &Tensor) -> Vec<u64> {
    let (n, config) = (tensor.n_elements as u64, &source.config);
    let cols = match name.ends_with(".ffn_down.weight") {
        true => config.n_ff as u64,
        false => config.n_embd as u64,
    };
    let is_vector = name.contains("_norm.") || name.ends_with(".bias");
    if is_vector { vec![n] } else { vec![cols, n / cols] }
}

pub fn to_gguf(source: &Source, own: &[(&str, String)]) -> Result<GgufWriter, ModelError> {
    let config = &source.config;
    let key = |name: &str| format!("{ENCODER_ARCHITECTURE}.{name}");
    let counts = [
        ("block_count", config.n_layers),
        ("context_length", config.n_ctx),
        ("embedding_length", config.n_embd),
        ("feed_forward_length", config.n_ff),
        ("attention.head_count", config.n_heads),
        ("pooling_type", config.pooling.id() as usize),
    ];
    let mut writer = GgufWriter::new().metadata("general.architecture", ENCODER_ARCHITECTURE);
    for (name, text) in own {
        writer = writer.metadata(*name, text.as_str());
    }
    for (name, count) in counts {
        writer = writer.metadata(key(name), count as u32);
    }
    writer = writer
        .metadata(key("attention.layer_norm_epsilon"), config.norm_eps)
        .metadata(key("attention.causal"), false);
    for (name, value) in source.metadata.iter() {
        writer = writer.metadata(name, value.clone());
    }
    for (name, tensor) in &source.tensors {
        let dims = shape(source, name, tensor);
        let is_matrix = dims.len() == 2 && ![POSITIONS, TYPES].contains(&name.as_str());
        let (weight_type, bytes) = source.tensor(name, tensor.n_elements)?;
        let (ggml_type, data) = match weight_type {
            WeightType::Q4_0 if is_matrix => (GgmlDType::Q4_0, bytes.to_vec()),
            WeightType::Q8_0 if is_matrix => (GgmlDType::Q8_0, bytes.to_vec()),
            _ if is_matrix => {
                let cols = dims[0] as usize;
                let row_bytes = weight_type.row_bytes(cols);
                let row_bytes = row_bytes.ok_or_else(|| ModelError::invalid(name.clone()))?;
                let mut row = vec![0.0; cols];
                let rows = bytes.chunks_exact(row_bytes).flat_map(|bytes| {
                    dequantise_row(weight_type, bytes, &mut row);
                    q8_0_row(&row)
                });
                (GgmlDType::Q8_0, rows.collect())
            }
            _ => {
                let values = source.vector(name, tensor.n_elements)?;
                (GgmlDType::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
            }
        };
        writer = writer.tensor(name, &dims, ggml_type, data);
    }
    Ok(writer)
}
