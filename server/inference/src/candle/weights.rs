//! How do a file's weights come onto a device?

use std::borrow::Cow;
use std::fs::File;
use std::sync::Arc;

use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{DType, Device, Tensor};
use portico_kernels::{KvShape, PAGE_TOKENS, Pool, WeightType};
use portico_shared::error::ApiError;
use portico_shared::gguf::Gguf;
use portico_shared::model::{Config, ModelError, rope_table};

use super::fault;
use crate::cpu::kv_shape;
use crate::tensors::{LayerTensors, MatrixDesc, ModelTensors, VectorDesc};
use crate::weight_file::WeightFile;

pub(super) struct Layer {
    pub attn_norm: Tensor,
    pub q: QMatMul,
    pub k: QMatMul,
    pub v: QMatMul,
    pub qkv_bias: Option<[Tensor; 3]>,
    pub qk_norm: Option<[Tensor; 2]>,
    pub attn_output: QMatMul,
    pub post_attn_norm: Option<Tensor>,
    pub ffn_norm: Tensor,
    pub gate: QMatMul,
    pub up: QMatMul,
    pub down: QMatMul,
    pub post_ffn_norm: Option<Tensor>,
    /// Whether its queries see only a window of keys.
    pub slides: bool,
}

/// Angles of every position, `[n_ctx, rope_dim / 2]`.
pub(super) struct Angles {
    pub cos: Tensor,
    pub sin: Tensor,
}

/// Keys and values, `[slots, n_kv_heads, head_dim]` in half precision for each layer. A page is a run
/// of [`PAGE_TOKENS`] slots.
pub(super) struct Cache {
    pub layers: Vec<(Tensor, Tensor)>,
    n_pages: usize,
}

/// A model's weights on a device, and what a step needs beside them.
pub struct CandleModel {
    pub config: Config,
    pub(super) device: Device,
    pub(super) pool: Arc<Pool>,
    pub(super) file: WeightFile,
    pub(super) embedding: MatrixDesc,
    pub(super) layers: Vec<Layer>,
    pub(super) output_norm: Tensor,
    pub(super) output: QMatMul,
    pub(super) angles: Angles,
    /// Of layers that slide.
    pub(super) angles_local: Option<Angles>,
    pub(super) cache: Cache,
}

/// Bytes that a model's weights and tables take on a device.
///
/// # Errors
/// As [`CandleModel::load`].
pub fn memory_bytes(gguf: &Gguf, config: &Config, n_ctx: usize) -> Result<u64, ModelError> {
    let tensors = ModelTensors::find(gguf, config)?;
    let weights: u64 = tensors.matrices().map(|desc| device_bytes(desc) as u64).sum();
    let n_tables = if config.sliding_window.is_some() { 2 } else { 1 };
    Ok(weights + n_tables * n_ctx as u64 * u64::from(config.rope_dim) * 4)
}

/// Blocks lie on the device as in the file; candle widens halves.
fn device_bytes(desc: &MatrixDesc) -> usize {
    match desc.weight_type {
        WeightType::F16 => desc.size_bytes * 2,
        _ => desc.size_bytes,
    }
}

fn ggml_type(weight_type: WeightType) -> GgmlDType {
    match weight_type {
        WeightType::F32 => GgmlDType::F32,
        WeightType::F16 => GgmlDType::F16,
        WeightType::Q4_0 => GgmlDType::Q4_0,
        WeightType::Q4_1 => GgmlDType::Q4_1,
        WeightType::Q5_0 => GgmlDType::Q5_0,
        WeightType::Q5_1 => GgmlDType::Q5_1,
        WeightType::Q8_0 => GgmlDType::Q8_0,
        WeightType::Q4K => GgmlDType::Q4K,
        WeightType::Q5K => GgmlDType::Q5K,
        WeightType::Q6K => GgmlDType::Q6K,
    }
}

/// Puts tensors onto the device and counts the bytes.
struct Mover<'a> {
    file: &'a WeightFile,
    device: &'a Device,
    n_bytes: u64,
    all_bytes: u64,
    progress: &'a (dyn Fn(f32) + Sync),
}

impl Mover<'_> {
    fn matrix(&mut self, desc: &MatrixDesc) -> Result<QMatMul, ApiError> {
        let bytes = self.file.bytes(desc.offset_bytes, desc.size_bytes)?;
        let moved = || {
            let blocks = Cow::Borrowed(bytes);
            let storage = QStorage::from_data(blocks, self.device, ggml_type(desc.weight_type))?;
            QMatMul::from_qtensor(QTensor::new(storage, (desc.rows, desc.cols))?)
        };
        let matrix = moved().map_err(fault)?;
        self.n_bytes += desc.size_bytes as u64;
        (self.progress)(self.n_bytes as f32 / self.all_bytes.max(1) as f32);
        Ok(matrix)
    }

    fn vector(&self, desc: &VectorDesc) -> Result<Tensor, ApiError> {
        Tensor::from_vec(self.file.vector(desc)?, desc.len, self.device).map_err(fault)
    }

    fn opt_vector(&self, desc: Option<&VectorDesc>) -> Result<Option<Tensor>, ApiError> {
        desc.map(|desc| self.vector(desc)).transpose()
    }

    fn layer(&mut self, tensors: &LayerTensors, slides: bool) -> Result<Layer, ApiError> {
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
            slides,
        })
    }
}

impl Angles {
    /// From a table of `(cos, sin)` pairs.
    fn from_table(table: &[f32], n_ctx: usize, device: &Device) -> candle_core::Result<Self> {
        let n_pairs = table.len() / 2 / n_ctx.max(1);
        let column = |at: usize| {
            let values: Vec<f32> = table.iter().skip(at).step_by(2).copied().collect();
            Tensor::from_vec(values, (n_ctx, n_pairs), device)
        };
        Ok(Self { cos: column(0)?, sin: column(1)? })
    }
}

impl Cache {
    /// Makes room for the pages `0..n_pages`. It doubles, so that what stands is seldom copied.
    pub fn grow(
        &mut self,
        shape: KvShape,
        n_pages: usize,
        device: &Device,
    ) -> candle_core::Result<()> {
        if n_pages <= self.n_pages {
            return Ok(());
        }
        let n_new = n_pages.max(2 * self.n_pages) - self.n_pages;
        let dims = (n_new * PAGE_TOKENS, shape.n_kv_heads, shape.head_dim);
        let empty = || Tensor::zeros(dims, DType::F16, device);
        if self.layers.is_empty() {
            for _ in 0..shape.n_layers {
                self.layers.push((empty()?, empty()?));
            }
        } else {
            for (keys, values) in &mut self.layers {
                *keys = Tensor::cat(&[&*keys, &empty()?], 0)?;
                *values = Tensor::cat(&[&*values, &empty()?], 0)?;
            }
        }
        self.n_pages += n_new;
        Ok(())
    }
}

impl CandleModel {
    /// Reads a file whose header is `gguf` onto `device`. `progress` is told the share that is done.
    ///
    /// # Errors
    /// `model_unsupported`, `model_invalid`, `storage_failed`, `server_out_of_memory`.
    pub fn load(
        file: &File,
        gguf: &Gguf,
        n_ctx: usize,
        pool: Arc<Pool>,
        device: &Device,
        progress: &(dyn Fn(f32) + Sync),
    ) -> Result<Self, ApiError> {
        let config = Config::from_gguf(gguf)?;
        let tensors = ModelTensors::find(gguf, &config)?;
        let file = WeightFile::open(file)?;
        let all_bytes = tensors.matrices().map(|desc| desc.size_bytes as u64).sum();
        let mut mover = Mover { file: &file, device, n_bytes: 0, all_bytes, progress };
        let layers = tensors
            .layers
            .iter()
            .enumerate()
            .map(|(index, layer)| mover.layer(layer, config.window(index).is_some()));
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let output = mover.matrix(&tensors.output)?;
        let output_norm = mover.vector(&tensors.output_norm)?;
        let freqs = tensors.rope_freqs.as_ref().map(|desc| file.vector(desc)).transpose()?;
        let n_positions = n_ctx as u32;
        let table = rope_table(&config.rope, config.rope_dim, n_positions, freqs.as_deref());
        let angles = Angles::from_table(&table, n_ctx, device).map_err(fault)?;
        let angles_local = config.sliding_window.map(|_| {
            let table = rope_table(&config.rope_local, config.rope_dim, n_positions, None);
            Angles::from_table(&table, n_ctx, device).map_err(fault)
        });
        let angles_local = angles_local.transpose()?;
        file.forget();
        Ok(Self {
            device: device.clone(),
            pool,
            file,
            embedding: tensors.embedding,
            layers,
            output_norm,
            output,
            angles,
            angles_local,
            cache: Cache { layers: Vec::new(), n_pages: 0 },
            config,
        })
    }

    pub(super) fn grow_cache(&mut self, n_pages: usize) -> candle_core::Result<()> {
        self.cache.grow(kv_shape(&self.config), n_pages, &self.device)
    }
}
