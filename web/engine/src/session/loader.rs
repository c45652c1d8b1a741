//! How does a model file become buffers on the GPU without ever lying whole in memory?

use std::collections::BTreeMap;

use portico_shared::gguf::Gguf;

use super::{Engine, Warm};
use crate::EngineError;
use crate::caps::{Capabilities, GpuOptions, Precision, choose};
use crate::gpu::{Buffers, Gpu};
use crate::linear::LinearWeight;
use crate::model::{Config, model_tensors, rope_table};
use crate::plan::{ModelPlan, Vectors};
use crate::record::BufferId;
use crate::repack::Repacker;

/// How a model is to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Tokens that the cache holds; no more than the model's own context is taken.
    pub n_ctx: u32,
    pub precision: Precision,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { n_ctx: 4096, precision: Precision::Auto }
    }
}

/// Where a tensor's bytes go.
#[derive(Clone, Copy, Debug)]
enum Target {
    /// The `matrix`th of a layer's weights.
    Matrix { weight: usize, matrix: usize },
    /// As they are.
    Copy { buffer: BufferId, offset_bytes: u64 },
    /// Kept for the CPU.
    Host,
}

/// A tensor's place in the file.
#[derive(Clone, Debug)]
struct Span {
    end_bytes: u64,
    target: Target,
}

/// The tensor whose bytes are coming.
enum Open {
    Matrix(Box<Repacker>),
    Copy { buffer: BufferId, offset_bytes: u64, pending: Vec<u8> },
    Host,
}

/// Takes a file's bytes in order and puts them on the GPU.
pub struct ModelLoader {
    gpu: Gpu,
    plan: ModelPlan,
    buffers: Buffers,
    weights: Vec<LinearWeight>,
    /// By first byte.
    spans: BTreeMap<u64, Span>,
    open: Option<(Span, Open)>,
    /// Of the file.
    position_bytes: u64,
    file_bytes: u64,
    /// `rope_freqs.weight`
    host: Vec<u8>,
    unflushed_bytes: usize,
    /// The first kernels, compiled by other threads beside all that follows.
    warm: Warm,
}

/// Writes wait in the driver's memory until a submit; this many are let to wait.
const FLUSH_BYTES: usize = 8 << 20;

impl ModelLoader {
    /// Begins to compile the kernels that a loaded model needs first, and allocates its buffers.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`], [`EngineError::InvalidModel`], [`EngineError::OutOfMemory`].
    pub async fn new(gpu: &Gpu, gguf: &Gguf, options: &LoadOptions) -> Result<Self, EngineError> {
        gpu.check()?;
        let plan = plan(gguf, gpu.caps(), gpu.options(), options)?;
        // The device takes calls in order: buffers to be cleared would hold the compiler up.
        let warm = Warm::new(gpu, &plan)?;
        let mut weights = Vec::new();
        let mut spans = BTreeMap::new();
        let mut add = |name: &str, target: Target| {
            // Every name was found when the plan was made.
            if let Some(tensor) = gguf.tensor(name) {
                let span = Span { end_bytes: tensor.end_bytes(), target };
                spans.insert(tensor.offset_bytes, span);
            }
        };
        for weight in plan.weights() {
            for (matrix, desc) in weight.matrices.iter().enumerate() {
                add(&desc.name, Target::Matrix { weight: weights.len(), matrix });
            }
            weights.push(weight.clone());
        }
        for Vectors { buffer, parts } in plan.vectors() {
            let mut offset_bytes = 0;
            for part in parts {
                add(&part.name, Target::Copy { buffer: *buffer, offset_bytes });
                offset_bytes += u64::from(part.len) * 4;
            }
        }
        if let Some(freqs) = &plan.rope_freqs {
            add(&freqs.name, Target::Host);
        }
        let mut buffers = Buffers::new(gpu);
        buffers.extend(&plan.recording.buffers).await?;
        Ok(Self {
            gpu: gpu.clone(),
            plan,
            buffers,
            weights,
            spans,
            open: None,
            position_bytes: gguf.data_offset_bytes,
            file_bytes: gguf.file_bytes,
            host: Vec::new(),
            unflushed_bytes: 0,
            warm,
        })
    }

    /// Bytes of the file, in order and without gaps from `gguf.data_offset_bytes` on, in slices of
    /// any size. Holds no more than a few rows of a tensor at a time.
    ///
    /// # Errors
    /// [`EngineError::InvalidModel`] for more bytes than the file has, [`EngineError::DeviceLost`].
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), EngineError> {
        self.gpu.check()?;
        if self.position_bytes + bytes.len() as u64 > self.file_bytes {
            return Err(EngineError::invalid("more bytes than the file has"));
        }
        while !bytes.is_empty() {
            if self.open.is_none() {
                self.open_next();
            }
            let end_bytes = match &self.open {
                Some((span, _)) => span.end_bytes,
                // Padding between tensors, and tensors that nothing reads.
                None => self.spans.keys().next().copied().unwrap_or(self.file_bytes),
            };
            let n = usize::try_from(end_bytes - self.position_bytes)
                .map_or(bytes.len(), |left| left.min(bytes.len()));
            let (now, rest) = bytes.split_at(n);
            bytes = rest;
            self.position_bytes += n as u64;
            self.take(now)?;
            if self.position_bytes == end_bytes
                && let Some((_, Open::Matrix(repacker))) = self.open.take()
            {
                repacker.finish()?;
            }
        }
        Ok(())
    }

    /// Opens the tensor that begins here, if one does.
    fn open_next(&mut self) {
        let Some(span) = self.spans.remove(&self.position_bytes) else { return };
        let open = match span.target {
            Target::Matrix { weight, matrix } => {
                Open::Matrix(Box::new(Repacker::new(&self.weights[weight], matrix)))
            }
            Target::Copy { buffer, offset_bytes } => {
                Open::Copy { buffer, offset_bytes, pending: Vec::new() }
            }
            Target::Host => Open::Host,
        };
        self.open = Some((span, open));
    }

    /// Hands bytes of the open tensor on.
    fn take(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let buffers = &self.buffers;
        let mut written = 0;
        match &mut self.open {
            None => {}
            Some((_, Open::Host)) => self.host.extend_from_slice(bytes),
            Some((_, Open::Copy { buffer, offset_bytes, pending })) => {
                // Writes are of whole words; a vector's length is a whole number of them.
                pending.extend_from_slice(bytes);
                let whole = pending.len() & !3;
                buffers.write(*buffer, *offset_bytes, &pending[..whole]);
                pending.drain(..whole);
                *offset_bytes += whole as u64;
                written = whole;
            }
            Some((_, Open::Matrix(repacker))) => repacker.push(bytes, &mut |write| {
                buffers.write(write.buffer, write.offset_bytes, write.bytes);
                written += write.bytes.len();
            })?,
        }
        self.unflushed_bytes += written;
        if self.unflushed_bytes >= FLUSH_BYTES {
            self.gpu.flush();
            self.unflushed_bytes = 0;
        }
        Ok(())
    }

    /// The engine with all of its kernels compiled.
    ///
    /// # Errors
    /// As [`ModelLoader::finish_warm`].
    pub async fn finish(self) -> Result<Engine, EngineError> {
        let mut engine = self.finish_warm().await?;
        engine.complete().await?;
        Ok(engine)
    }

    /// The engine, once its first kernels stand. The others are compiled behind it.
    ///
    /// # Errors
    /// [`EngineError::InvalidModel`] when bytes are missing; [`EngineError::Internal`] where the
    /// device refuses a kernel; [`EngineError::DeviceLost`].
    pub async fn finish_warm(self) -> Result<Engine, EngineError> {
        if let Some(missing) = self.spans.keys().next() {
            return Err(EngineError::invalid(format!(
                "the file ended at byte {}, a tensor begins at {missing}",
                self.position_bytes
            )));
        }
        if self.open.is_some() {
            return Err(EngineError::invalid(format!(
                "the file ended at byte {}, within a tensor",
                self.position_bytes
            )));
        }
        let freq_factors: Vec<f32> = self
            .host
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        let config = &self.plan.config;
        let n_ctx = self.plan.n_ctx;
        let factors = (!freq_factors.is_empty()).then_some(freq_factors.as_slice());
        let table = rope_table(&config.rope, config.rope_dim, n_ctx, factors);
        self.buffers.write(self.plan.rope, 0, bytemuck::cast_slice(&table));
        if self.plan.rope_local != self.plan.rope {
            let table = rope_table(&config.rope_local, config.rope_dim, n_ctx, None);
            self.buffers.write(self.plan.rope_local, 0, bytemuck::cast_slice(&table));
        }
        self.gpu.flush();
        Engine::new(self.gpu, self.plan, self.buffers, self.warm).await
    }
}

fn plan(
    gguf: &Gguf,
    caps: &Capabilities,
    gpu: &GpuOptions,
    options: &LoadOptions,
) -> Result<ModelPlan, EngineError> {
    let config = Config::from_gguf(gguf)?;
    let tensors = model_tensors(gguf, &config)?;
    let variants = choose(caps, gpu, options.precision);
    let plan = ModelPlan::new(config, tensors, &variants, options.n_ctx)?;
    let largest = plan.recording.buffers.iter().max_by_key(|buffer| buffer.size_bytes);
    match largest {
        Some(buffer) if buffer.size_bytes > caps.max_buffer_bytes => {
            Err(EngineError::unsupported(format!(
                "{} takes {} bytes, the device's buffers hold {}",
                buffer.label, buffer.size_bytes, caps.max_buffer_bytes
            )))
        }
        _ => Ok(plan),
    }
}

/// Bytes that a model loaded with `options` takes on the GPU; an estimate within a few per cent.
///
/// # Errors
/// As [`supports`].
pub fn memory_estimate(gguf: &Gguf, options: &LoadOptions) -> Result<u64, EngineError> {
    let caps = Capabilities {
        max_buffer_bytes: u64::MAX,
        max_binding_bytes: u64::from(u32::MAX),
        max_workgroup_invocations: 256,
        ..Capabilities::default()
    };
    Ok(plan(gguf, &caps, &GpuOptions::default(), options)?.size_bytes())
}

/// Whether this engine runs the model on such a device, judged by the file's header alone.
///
/// # Errors
/// [`EngineError::Unsupported`] names the architecture, the tensor type or the size that cannot be
/// run; [`EngineError::InvalidModel`] a header that contradicts itself.
pub fn supports(gguf: &Gguf, caps: &Capabilities) -> Result<(), EngineError> {
    plan(gguf, caps, &GpuOptions::default(), &LoadOptions::default()).map(drop)
}
