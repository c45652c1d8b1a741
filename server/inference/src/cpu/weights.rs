//! How do a file's weights come to lie as the kernels want them?

use std::fs::File;
use std::sync::Arc;

use portico_kernels::{KvShape, Matrix, Page, Pool};
use portico_shared::error::ApiError;
use portico_shared::gguf::Gguf;
use portico_shared::model::{Config, ModelError, rope_table};

use super::compute::Compute;
use super::forward::Scratch;
use crate::tensors::{LayerTensors, MatrixDesc, ModelTensors, VectorDesc};
use crate::weight_file::WeightFile;

pub(super) struct Layer {
    pub attn_norm: Vec<f32>,
    pub q: Matrix,
    pub k: Matrix,
    pub v: Matrix,
    pub qkv_bias: Option<[Vec<f32>; 3]>,
    pub qk_norm: Option<[Vec<f32>; 2]>,
    pub attn_output: Matrix,
    pub post_attn_norm: Option<Vec<f32>>,
    pub ffn_norm: Vec<f32>,
    pub gate: Matrix,
    pub up: Matrix,
    pub down: Matrix,
    pub post_ffn_norm: Option<Vec<f32>>,
    /// Keys that a query sees, its own among them.
    pub window: Option<usize>,
}

/// A model's weights, packed, and what a step needs beside them.
pub struct CpuModel {
    pub config: Config,
    pub n_ctx: usize,
    pub(super) compute: Compute,
    pub(super) file: WeightFile,
    pub(super) embedding: MatrixDesc,
    pub(super) layers: Vec<Layer>,
    pub(super) output_norm: Vec<f32>,
    pub(super) output: Matrix,
    /// `[n_ctx][rope_dim / 2][2]`, of layers that see everything and of those that slide.
    pub(super) rope: Vec<f32>,
    pub(super) rope_local: Option<Vec<f32>>,
    pub(super) pages: Vec<Page>,
    pub(super) scratch: Scratch,
}

/// Packs matrices and counts the bytes.
struct Packer<'a> {
    file: &'a WeightFile,
    pool: &'a Pool,
    n_bytes: u64,
    all_bytes: u64,
    progress: &'a (dyn Fn(f32) + Sync),
}

impl Packer<'_> {
    fn matrix(&mut self, desc: &MatrixDesc) -> Result<Matrix, ApiError> {
        let bytes = self.file.bytes(desc.offset_bytes, desc.size_bytes)?;
        let matrix = Matrix::pack(desc.weight_type, desc.rows, desc.cols, bytes, self.pool);
        let matrix = matrix.map_err(|error| ModelError::invalid(error.to_string()))?;
        self.n_bytes += desc.size_bytes as u64;
        (self.progress)(self.n_bytes as f32 / self.all_bytes.max(1) as f32);
        Ok(matrix)
    }

    fn vector(&self, desc: &VectorDesc) -> Result<Vec<f32>, ApiError> {
        Ok(self.file.vector(desc)?)
    }

    fn opt_vector(&self, desc: Option<&VectorDesc>) -> Result<Option<Vec<f32>>, ApiError> {
        desc.map(|desc| self.vector(desc)).transpose()
    }

    fn layer(&mut self, tensors: &LayerTensors, window: Option<usize>) -> Result<Layer, ApiError> {
        let [q, k, v] = &tensors.qkv;
        Ok(Layer {
            attn_norm: self.vector(&tensors.attn_norm)?,
            q: self.matrix(q)?,
            k: self.matrix(k)?,
            v: self.matrix(v)?,
            qkv_bias: match &tensors.qkv_bias {
                Some([q, k, v]) => Some([self.vector(q)?, self.vector(k)?, self.vector(v)?]),
                None => None,
            },
            qk_norm: match &tensors.qk_norm {
                Some([q, k]) => Some([self.vector(q)?, self.vector(k)?]),
                None => None,
            },
            attn_output: self.matrix(&tensors.attn_output)?,
            post_attn_norm: self.opt_vector(tensors.post_attn_norm.as_ref())?,
            ffn_norm: self.vector(&tensors.ffn_norm)?,
            gate: self.matrix(&tensors.gate)?,
            up: self.matrix(&tensors.up)?,
            down: self.matrix(&tensors.down)?,
            post_ffn_norm: self.opt_vector(tensors.post_ffn_norm.as_ref())?,
            window,
        })
    }
}

/// Bytes that a model's packed weights and tables take.
///
/// # Errors
/// As [`CpuModel::load`].
pub fn memory_bytes(gguf: &Gguf, config: &Config, n_ctx: usize) -> Result<u64, ModelError> {
    let tensors = ModelTensors::find(gguf, config)?;
    let matrices = tensors.matrices();
    let weights: u64 =
        matrices.map(|desc| Matrix::packed_bytes(desc.weight_type, desc.rows, desc.cols)).sum();
    let n_tables = if config.sliding_window.is_some() { 2 } else { 1 };
    Ok(weights + n_tables * n_ctx as u64 * u64::from(config.rope_dim) * 4)
}

impl CpuModel {
    /// Reads a file whose header is `gguf`. `progress` is told the share that is done.
    ///
    /// # Errors
    /// `model_unsupported`, `model_invalid`, `storage_failed`.
    pub fn load(
        file: &File,
        gguf: &Gguf,
        n_ctx: usize,
        pool: Arc<Pool>,
        progress: &(dyn Fn(f32) + Sync),
    ) -> Result<Self, ApiError> {
        let config = Config::from_gguf(gguf)?;
        let tensors = ModelTensors::find(gguf, &config)?;
        let file = WeightFile::open(file)?;
        let all_bytes = tensors.matrices().map(|desc| desc.size_bytes as u64).sum();
        let mut packer = Packer { file: &file, pool: &pool, n_bytes: 0, all_bytes, progress };
        let layers = tensors.layers.iter().enumerate().map(|(index, layer)| {
            packer.layer(layer, config.window(index).map(|window| window as usize))
        });
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let output = packer.matrix(&tensors.output)?;
        let output_norm = packer.vector(&tensors.output_norm)?;
        let freqs = packer.opt_vector(tensors.rope_freqs.as_ref())?;
        let n_positions = n_ctx as u32;
        let rope = rope_table(&config.rope, config.rope_dim, n_positions, freqs.as_deref());
        let rope_local = config
            .sliding_window
            .map(|_| rope_table(&config.rope_local, config.rope_dim, n_positions, None));
        file.forget();
        Ok(Self {
            n_ctx,
            compute: Compute::new(pool),
            file,
            embedding: tensors.embedding,
            layers,
            output_norm,
            output,
            rope,
            rope_local,
            pages: Vec::new(),
            scratch: Scratch::default(),
            config,
        })
    }
}

/// What the cache keeps of a token of this model.
pub fn kv_shape(config: &Config) -> KvShape {
    KvShape {
        n_layers: config.n_layers,
        n_kv_heads: config.n_kv_heads as usize,
        head_dim: config.head_dim as usize,
    }
}
