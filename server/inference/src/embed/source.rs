//! What does an encoder's file hold, whatever its format?

use std::collections::BTreeMap;
use std::ops::Range;

use memmap2::Mmap;
use portico_kernels::{Matrix, WeightType, dequantise_row};
use portico_shared::gguf::Metadata;
use portico_shared::model::{EncoderConfig, ModelError};

/// Rows that texts' tokens look up: by id, by place, by type.
pub const WORDS: &str = "token_embd.weight";
pub const POSITIONS: &str = "position_embd.weight";
pub const TYPES: &str = "token_types.weight";

/// A tensor: rows of values in the file.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub weight_type: WeightType,
    pub n_elements: usize,
    pub bytes: Range<usize>,
}

/// A file with its directory. Names are GGUF's: `token_embd.weight`, `blk.0.attn_q.weight`, ….
pub struct Source {
    pub config: EncoderConfig,
    pub metadata: Metadata,
    pub tensors: BTreeMap<String, Tensor>,
    pub map: Mmap,
}

impl Source {
    /// A tensor's type and its bytes, where it has `n_elements` values.
    ///
    /// # Errors
    /// Where it is missing or has another size.
    pub fn tensor(&self, name: &str, n_elements: usize) -> Result<(WeightType, &[u8]), ModelError> {
        let tensor = self
            .tensors
            .get(name)
            .ok_or_else(|| ModelError::invalid(format!("the tensor `{name}` is missing")))?;
        let bytes = self.map.get(tensor.bytes.clone());
        match bytes {
            Some(bytes) if tensor.n_elements == n_elements => Ok((tensor.weight_type, bytes)),
            _ => Err(ModelError::invalid(format!(
                "`{name}` has {} values, not {n_elements}",
                tensor.n_elements
            ))),
        }
    }

    /// A tensor's values.
    ///
    /// # Errors
    /// As [`Source::tensor`], and where it does not consist of whole blocks.
    pub fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, ModelError> {
        let (weight_type, bytes) = self.tensor(name, len)?;
        if weight_type.row_bytes(len) != Some(bytes.len()) {
            let reason = format!("`{name}` has the type {weight_type:?}");
            return Err(ModelError::unsupported(reason));
        }
        let mut values = vec![0.0; len];
        dequantise_row(weight_type, bytes, &mut values);
        Ok(values)
    }

    /// Bytes of the packed matrices, floats in 8 bits; embeddings stay in the file.
    pub fn memory_bytes(&self) -> u64 {
        let config = &self.config;
        let layer = |part: &str, rows: usize, cols: usize| {
            let tensor = self.tensors.get(&format!("blk.0.{part}.weight"));
            let quantised = tensor.map(|tensor| tensor.weight_type).filter(|t| !t.is_float());
            let weight_type = quantised.unwrap_or(WeightType::Q8_0);
            Matrix::packed_bytes(weight_type, rows, cols)
        };
        let (n_embd, n_ff) = (config.n_embd, config.n_ff);
        let bytes = 4 * layer("attn_q", n_embd, n_embd)
            + layer("ffn_up", n_ff, n_embd)
            + layer("ffn_down", n_embd, n_ff);
        bytes * config.n_layers as u64
    }
}
