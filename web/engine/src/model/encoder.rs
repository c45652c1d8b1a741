//! Which tensors does an encoder need, and do they have the right shapes?

use portico_shared::gguf::Gguf;

use super::EncoderConfig;
use super::tensors::{Finder, VectorDesc};
use crate::EngineError;
use crate::linear::MatrixDesc;

/// A layer's tensors. A norm has weight and bias.
#[derive(Clone, Debug)]
pub(crate) struct EncoderLayerTensors {
    /// Q, K, V
    pub qkv: Vec<MatrixDesc>,
    pub qkv_bias: [VectorDesc; 3],
    pub attn_output: MatrixDesc,
    pub attn_output_bias: VectorDesc,
    pub attn_norm: [VectorDesc; 2],
    pub up: MatrixDesc,
    pub up_bias: VectorDesc,
    pub down: MatrixDesc,
    pub down_bias: VectorDesc,
    pub output_norm: [VectorDesc; 2],
}

/// An encoder's tensors.
#[derive(Clone, Debug)]
pub(crate) struct EncoderTensors {
    pub embedding: MatrixDesc,
    /// At least as many rows as a text may have tokens.
    pub position_embd: VectorDesc,
    /// Its first row is that of the only type that texts have here.
    pub type_embd: VectorDesc,
    pub embedding_norm: [VectorDesc; 2],
    pub layers: Vec<EncoderLayerTensors>,
}

/// Finds and checks every tensor that the encoder's computation reads.
///
/// # Errors
/// As [`super::model_tensors`].
pub(crate) fn encoder_tensors(
    gguf: &Gguf,
    config: &EncoderConfig,
) -> Result<EncoderTensors, EngineError> {
    let finder = Finder { gguf };
    let (n_embd, n_ff) = (config.n_embd as u32, config.n_ff as u32);
    let norm = |stem: &str| -> Result<[VectorDesc; 2], EngineError> {
        Ok([
            finder.vector(format!("{stem}.weight"), n_embd)?,
            finder.vector(format!("{stem}.bias"), n_embd)?,
        ])
    };
    let rows = |name: &str, at_least: usize| -> Result<VectorDesc, EngineError> {
        let found = finder.floats(name.to_owned())?;
        if (found.len as usize) < at_least * config.n_embd {
            let reason = format!("`{name}` has {} values for {at_least} rows", found.len);
            return Err(EngineError::invalid(reason));
        }
        Ok(found)
    };
    let layer = |index: usize| -> Result<EncoderLayerTensors, EngineError> {
        let stem = |part: &str| format!("blk.{index}.{part}");
        let matrix =
            |part: &str, rows, cols| finder.matrix(format!("{}.weight", stem(part)), rows, cols);
        let bias = |part: &str, len| finder.vector(format!("{}.bias", stem(part)), len);
        Ok(EncoderLayerTensors {
            qkv: vec![
                matrix("attn_q", n_embd, n_embd)?,
                matrix("attn_k", n_embd, n_embd)?,
                matrix("attn_v", n_embd, n_embd)?,
            ],
            qkv_bias: [bias("attn_q", n_embd)?, bias("attn_k", n_embd)?, bias("attn_v", n_embd)?],
            attn_output: matrix("attn_output", n_embd, n_embd)?,
            attn_output_bias: bias("attn_output", n_embd)?,
            attn_norm: norm(&stem("attn_output_norm"))?,
            up: matrix("ffn_up", n_ff, n_embd)?,
            up_bias: bias("ffn_up", n_ff)?,
            down: matrix("ffn_down", n_embd, n_ff)?,
            down_bias: bias("ffn_down", n_embd)?,
            output_norm: norm(&stem("layer_output_norm"))?,
        })
    };
    Ok(EncoderTensors {
        embedding: finder.matrix("token_embd.weight".to_owned(), config.n_vocab as u32, n_embd)?,
        position_embd: rows("position_embd.weight", config.n_ctx)?,
        type_embd: rows("token_types.weight", 1)?,
        embedding_norm: norm("token_embd_norm")?,
        layers: (0..config.n_layers).map(layer).collect::<Result<_, _>>()?,
    })
}
