//! What does an encoder's file hold, whatever its format?

use std::collections::HashMap;
use std::ops::Range;

use memmap2::Mmap;
use portico_kernels::{Matrix, WeightType};
use portico_shared::gguf::Metadata;
use portico_shared::model::ModelError;

/// An encoder's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EncoderConfig {
    pub n_layers: usize,
    pub n_embd: usize,
    pub n_heads: usize,
    pub n_ff: usize,
    pub n_vocab: usize,
    pub n_ctx: usize,
    pub norm_eps: f32,
}

/// A tensor: rows of values in the file.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub weight_type: WeightType,
    pub n_elements: usize,
    pub bytes: Range<usize>,
}

/// A file with its directory. Names are those of the container `E5S1`: `emb.word`, `l0.q.w`, ….
pub struct Source {
    pub config: EncoderConfig,
    pub metadata: Metadata,
    pub tensors: HashMap<String, Tensor>,
    pub map: Mmap,
}

impl EncoderConfig {
    /// # Errors
    /// What the kernels do not take, and what makes no sense.
    pub fn checked(self) -> Result<Self, ModelError> {
        let Self { n_layers, n_embd, n_heads, n_ff, n_vocab, n_ctx, norm_eps } = self;
        let counts = [n_layers, n_embd, n_heads, n_ff, n_vocab, n_ctx];
        if counts.iter().any(|&n| n == 0 || n > 1 << 24) || n_layers > 1024 {
            return Err(ModelError::invalid(format!("an encoder of the shape {counts:?}")));
        }
        if !(norm_eps.is_finite() && norm_eps > 0.0) {
            return Err(ModelError::invalid(format!("a norm's epsilon of {norm_eps}")));
        }
        if n_embd % n_heads != 0 || (n_embd / n_heads) % 32 != 0 || n_ff % 32 != 0 {
            return Err(ModelError::unsupported(format!(
                "an encoder of width {n_embd} with {n_heads} heads and {n_ff} between (heads of a \
                 multiple of 32 are)"
            )));
        }
        Ok(self)
    }
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

    /// A vector of floats.
    ///
    /// # Errors
    /// As [`Source::tensor`], and where it is of another type.
    pub fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, ModelError> {
        match self.tensor(name, len)? {
            (WeightType::F32, bytes) if bytes.len() == len * 4 => Ok(bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect()),
            (weight_type, _) => {
                Err(ModelError::unsupported(format!("`{name}` has the type {weight_type:?}")))
            }
        }
    }

    /// Bytes of the packed matrices, floats in 8 bits; embeddings stay in the file.
    pub fn memory_bytes(&self) -> u64 {
        let config = &self.config;
        let layer = |part: &str, rows: usize, cols: usize| {
            let tensor = self.tensors.get(&format!("l0.{part}.w"));
            let quantised = tensor.map(|tensor| tensor.weight_type).filter(|t| !t.is_float());
            let weight_type = quantised.unwrap_or(WeightType::Q8_0);
            Matrix::packed_bytes(weight_type, rows, cols)
        };
        let (n_embd, n_ff) = (config.n_embd, config.n_ff);
        let bytes =
            4 * layer("q", n_embd, n_embd) + layer("fi", n_ff, n_embd) + layer("fo", n_embd, n_ff);
        bytes * config.n_layers as u64
    }
}
