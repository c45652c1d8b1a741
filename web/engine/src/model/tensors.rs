//! Which tensors does a model need, and do they have the right shapes?

use portico_shared::gguf::{Gguf, TensorInfo, type_id_from_ggml_type};

use super::{Arch, Config};
use crate::EngineError;
use crate::linear::MatrixDesc;
use crate::repack::QuantType;

/// A vector of float32 by its name in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VectorDesc {
    pub name: String,
    pub len: u32,
}

/// A layer's tensors.
#[derive(Clone, Debug)]
pub(crate) struct LayerTensors {
    pub attn_norm: VectorDesc,
    /// Q, K, V
    pub qkv: Vec<MatrixDesc>,
    /// Biases of Q, K and V; all or none.
    pub qkv_bias: Option<[VectorDesc; 3]>,
    /// Norm weights of a query head and a key head.
    pub qk_norm: Option<[VectorDesc; 2]>,
    pub attn_output: MatrixDesc,
    pub post_attn_norm: Option<VectorDesc>,
    pub ffn_norm: VectorDesc,
    pub gate: MatrixDesc,
    pub up: MatrixDesc,
    pub down: MatrixDesc,
    pub post_ffn_norm: Option<VectorDesc>,
}

/// A model's tensors.
#[derive(Clone, Debug)]
pub(crate) struct ModelTensors {
    pub embedding: MatrixDesc,
    pub layers: Vec<LayerTensors>,
    pub output_norm: VectorDesc,
    /// None: the embedding is the head as well.
    pub output: Option<MatrixDesc>,
    /// Divisors of RoPE's frequencies.
    pub rope_freqs: Option<VectorDesc>,
}

pub(super) struct Finder<'a> {
    pub gguf: &'a Gguf,
}

fn wrong_shape(tensor: &TensorInfo, expect: &str) -> EngineError {
    EngineError::invalid(format!("`{}` has the shape {:?}, not {expect}", tensor.name, tensor.dims))
}

impl Finder<'_> {
    fn find(&self, name: &str) -> Result<&TensorInfo, EngineError> {
        self.gguf
            .tensor(name)
            .ok_or_else(|| EngineError::invalid(format!("the tensor `{name}` is missing")))
    }

    pub fn matrix(&self, name: String, rows: u32, cols: u32) -> Result<MatrixDesc, EngineError> {
        let tensor = self.find(&name)?;
        if tensor.dims != [u64::from(cols), u64::from(rows)] {
            return Err(wrong_shape(tensor, &format!("[{cols}, {rows}]")));
        }
        let quant =
            QuantType::from_ggml(type_id_from_ggml_type(tensor.ggml_type)).ok_or_else(|| {
                EngineError::unsupported(format!(
                    "`{name}` has the weight type {:?}",
                    tensor.ggml_type
                ))
            })?;
        Ok(MatrixDesc { name, quant, rows, cols })
    }

    pub fn vector(&self, name: String, len: u32) -> Result<VectorDesc, EngineError> {
        let tensor = self.find(&name)?;
        if tensor.n_elements() != u64::from(len) || tensor.dims.len() != 1 {
            return Err(wrong_shape(tensor, &format!("[{len}]")));
        }
        self.floats(name)
    }

    /// All values of a tensor of float32, whatever its shape.
    pub fn floats(&self, name: String) -> Result<VectorDesc, EngineError> {
        let tensor = self.find(&name)?;
        let len = u32::try_from(tensor.n_elements()).map_err(|_| wrong_shape(tensor, "fewer"))?;
        if type_id_from_ggml_type(tensor.ggml_type) != 0 {
            return Err(EngineError::unsupported(format!(
                "`{name}` has the type {:?} (norms, biases and positions in F32 are)",
                tensor.ggml_type
            )));
        }
        Ok(VectorDesc { name, len })
    }

    fn layer(&self, config: &Config, layer: usize) -> Result<LayerTensors, EngineError> {
        let name = |part: &str| format!("blk.{layer}.{part}");
        let (n_embd, q_dim, kv_dim) = (config.n_embd, config.q_dim(), config.kv_dim());
        let has_bias = self.gguf.tensor(&name("attn_q.bias")).is_some();
        if !has_bias && config.arch == Arch::Qwen2 {
            self.find(&name("attn_q.bias"))?;
        }
        let norms = |condition: bool, part: &str, len: u32| {
            condition.then(|| self.vector(name(part), len)).transpose()
        };
        let post = config.arch.has_post_norms();
        Ok(LayerTensors {
            attn_norm: self.vector(name("attn_norm.weight"), n_embd)?,
            qkv: vec![
                self.matrix(name("attn_q.weight"), q_dim, n_embd)?,
                self.matrix(name("attn_k.weight"), kv_dim, n_embd)?,
                self.matrix(name("attn_v.weight"), kv_dim, n_embd)?,
            ],
            qkv_bias: if has_bias {
                Some([
                    self.vector(name("attn_q.bias"), q_dim)?,
                    self.vector(name("attn_k.bias"), kv_dim)?,
                    self.vector(name("attn_v.bias"), kv_dim)?,
                ])
            } else {
                None
            },
            qk_norm: if config.arch.has_qk_norm() {
                Some([
                    self.vector(name("attn_q_norm.weight"), config.head_dim)?,
                    self.vector(name("attn_k_norm.weight"), config.head_dim)?,
                ])
            } else {
                None
            },
            attn_output: self.matrix(name("attn_output.weight"), n_embd, q_dim)?,
            post_attn_norm: norms(post, "post_attention_norm.weight", n_embd)?,
            ffn_norm: self.vector(name("ffn_norm.weight"), n_embd)?,
            gate: self.matrix(name("ffn_gate.weight"), config.n_ff, n_embd)?,
            up: self.matrix(name("ffn_up.weight"), config.n_ff, n_embd)?,
            down: self.matrix(name("ffn_down.weight"), n_embd, config.n_ff)?,
            post_ffn_norm: norms(post, "post_ffw_norm.weight", n_embd)?,
        })
    }
}

/// Finds and checks every tensor that the model's computation reads.
///
/// # Errors
/// [`EngineError::InvalidModel`] for a missing tensor or a wrong shape, [`EngineError::Unsupported`]
/// for a weight type without kernels; both name the tensor.
pub(crate) fn model_tensors(gguf: &Gguf, config: &Config) -> Result<ModelTensors, EngineError> {
    let finder = Finder { gguf };
    let (n_vocab, n_embd) = (config.n_vocab, config.n_embd);
    let output = "output.weight";
    if let Some(tensor) = gguf.tensors.iter().find(|tensor| tensor.name.contains("_exps.")) {
        return Err(EngineError::unsupported(format!("a mixture of experts (`{}`)", tensor.name)));
    }
    Ok(ModelTensors {
        embedding: finder.matrix("token_embd.weight".to_owned(), n_vocab, n_embd)?,
        layers: (0..config.n_layers)
            .map(|layer| finder.layer(config, layer))
            .collect::<Result<_, _>>()?,
        output_norm: finder.vector("output_norm.weight".to_owned(), n_embd)?,
        output: gguf
            .tensor(output)
            .map(|_| finder.matrix(output.to_owned(), n_vocab, n_embd))
            .transpose()?,
        rope_freqs: gguf
            .tensor("rope_freqs.weight")
            .map(|_| finder.vector("rope_freqs.weight".to_owned(), config.rope_dim / 2))
            .transpose()?,
    })
}
