//! Which tensors does a model need, and do they have the right shapes?

use portico_kernels::WeightType;
use portico_shared::gguf::{Gguf, TensorInfo, type_id_from_ggml_type};
use portico_shared::model::{Arch, Config, ModelError};

/// A matrix of the file.
#[derive(Clone, Debug)]
pub struct MatrixDesc {
    pub weight_type: WeightType,
    pub rows: usize,
    pub cols: usize,
    pub offset_bytes: usize,
    pub size_bytes: usize,
}

/// A vector of float32 in the file.
#[derive(Clone, Debug)]
pub struct VectorDesc {
    pub len: usize,
    pub offset_bytes: usize,
}

/// A layer's tensors.
#[derive(Clone, Debug)]
pub struct LayerTensors {
    pub attn_norm: VectorDesc,
    /// Q, K, V
    pub qkv: [MatrixDesc; 3],
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
pub struct ModelTensors {
    pub embedding: MatrixDesc,
    pub layers: Vec<LayerTensors>,
    pub output_norm: VectorDesc,
    /// The embedding's where the two are tied.
    pub output: MatrixDesc,
    /// Divisors of RoPE's frequencies.
    pub rope_freqs: Option<VectorDesc>,
}

struct Finder<'a> {
    gguf: &'a Gguf,
}

fn wrong_shape(tensor: &TensorInfo, expect: &str) -> ModelError {
    ModelError::invalid(format!("`{}` has the shape {:?}, not {expect}", tensor.name, tensor.dims))
}

/// A place in the file, which was checked to have it.
fn place(name: &str, bytes: u64) -> Result<usize, ModelError> {
    usize::try_from(bytes)
        .map_err(|_| ModelError::unsupported(format!("`{name}` lies beyond this machine's reach")))
}

impl Finder<'_> {
    fn find(&self, name: &str) -> Result<&TensorInfo, ModelError> {
        self.gguf
            .tensor(name)
            .ok_or_else(|| ModelError::invalid(format!("the tensor `{name}` is missing")))
    }

    fn matrix(&self, name: &str, rows: u32, cols: u32) -> Result<MatrixDesc, ModelError> {
        let tensor = self.find(name)?;
        if tensor.dims != [u64::from(cols), u64::from(rows)] {
            return Err(wrong_shape(tensor, &format!("[{cols}, {rows}]")));
        }
        let weight_type = WeightType::from_ggml(type_id_from_ggml_type(tensor.ggml_type));
        let weight_type = weight_type.ok_or_else(|| {
            ModelError::unsupported(format!("`{name}` has the weight type {:?}", tensor.ggml_type))
        })?;
        Ok(MatrixDesc {
            weight_type,
            rows: rows as usize,
            cols: cols as usize,
            offset_bytes: place(name, tensor.offset_bytes)?,
            size_bytes: place(name, tensor.size_bytes)?,
        })
    }

    fn vector(&self, name: &str, len: u32) -> Result<VectorDesc, ModelError> {
        let tensor = self.find(name)?;
        if tensor.n_elements() != u64::from(len) || tensor.dims.len() != 1 {
            return Err(wrong_shape(tensor, &format!("[{len}]")));
        }
        if type_id_from_ggml_type(tensor.ggml_type) != 0 {
            return Err(ModelError::unsupported(format!(
                "`{name}` has the type {:?} (norms and biases in F32 are)",
                tensor.ggml_type
            )));
        }
        Ok(VectorDesc { len: len as usize, offset_bytes: place(name, tensor.offset_bytes)? })
    }

    fn layer(&self, config: &Config, layer: usize) -> Result<LayerTensors, ModelError> {
        let name = |part: &str| format!("blk.{layer}.{part}");
        let (n_embd, q_dim, kv_dim) = (config.n_embd, config.q_dim(), config.kv_dim());
        let has_bias =
            config.arch == Arch::Qwen2 || self.gguf.tensor(&name("attn_q.bias")).is_some();
        let matrix = |part: &str, rows: u32, cols: u32| {
            self.matrix(&name(&format!("{part}.weight")), rows, cols)
        };
        let vector = |part: &str, len: u32| self.vector(&name(part), len);
        let post =
            |part: &str| config.arch.has_post_norms().then(|| vector(part, n_embd)).transpose();
        Ok(LayerTensors {
            attn_norm: vector("attn_norm.weight", n_embd)?,
            qkv: [
                matrix("attn_q", q_dim, n_embd)?,
                matrix("attn_k", kv_dim, n_embd)?,
                matrix("attn_v", kv_dim, n_embd)?,
            ],
            qkv_bias: match has_bias {
                true => Some([
                    vector("attn_q.bias", q_dim)?,
                    vector("attn_k.bias", kv_dim)?,
                    vector("attn_v.bias", kv_dim)?,
                ]),
                false => None,
            },
            qk_norm: match config.arch.has_qk_norm() {
                true => Some([
                    vector("attn_q_norm.weight", config.head_dim)?,
                    vector("attn_k_norm.weight", config.head_dim)?,
                ]),
                false => None,
            },
            attn_output: matrix("attn_output", n_embd, q_dim)?,
            post_attn_norm: post("post_attention_norm.weight")?,
            ffn_norm: vector("ffn_norm.weight", n_embd)?,
            gate: matrix("ffn_gate", config.n_ff, n_embd)?,
            up: matrix("ffn_up", config.n_ff, n_embd)?,
            down: matrix("ffn_down", n_embd, config.n_ff)?,
            post_ffn_norm: post("post_ffw_norm.weight")?,
        })
    }
}

impl ModelTensors {
    /// Finds and checks every tensor that the model's computation reads.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] for a missing tensor or a wrong shape, [`ModelError::Unsupported`]
    /// for a weight type without kernels; both name the tensor.
    pub fn find(gguf: &Gguf, config: &Config) -> Result<Self, ModelError> {
        let finder = Finder { gguf };
        let (n_vocab, n_embd) = (config.n_vocab, config.n_embd);
        if let Some(tensor) = gguf.tensors.iter().find(|tensor| tensor.name.contains("_exps.")) {
            let reason = format!("a mixture of experts (`{}`)", tensor.name);
            return Err(ModelError::unsupported(reason));
        }
        let embedding = finder.matrix("token_embd.weight", n_vocab, n_embd)?;
        Ok(Self {
            layers: (0..config.n_layers)
                .map(|layer| finder.layer(config, layer))
                .collect::<Result<_, _>>()?,
            output_norm: finder.vector("output_norm.weight", n_embd)?,
            output: match gguf.tensor("output.weight") {
                Some(_) => finder.matrix("output.weight", n_vocab, n_embd)?,
                None => embedding.clone(),
            },
            embedding,
            rope_freqs: gguf
                .tensor("rope_freqs.weight")
                .map(|_| finder.vector("rope_freqs.weight", config.rope_dim / 2))
                .transpose()?,
        })
    }

    /// Every matrix that is packed.
    pub fn matrices(&self) -> impl Iterator<Item = &MatrixDesc> {
        let layers = self.layers.iter().flat_map(|layer| {
            layer.qkv.iter().chain([&layer.attn_output, &layer.gate, &layer.up, &layer.down])
        });
        layers.chain([&self.output])
    }
}
