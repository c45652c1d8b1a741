//! How does a model file become buffers on the GPU without ever lying whole in memory?

use portico_shared::gguf::Gguf;

use super::encoder;
use super::feeder::Feeder;
use super::{Engine, Warm};
use crate::EngineError;
use crate::caps::{Capabilities, GpuOptions, Precision, choose};
use crate::gpu::Gpu;
use crate::model::{Config, EncoderConfig, model_tensors, rope_table};
use crate::plan::ModelPlan;
use crate::record::Recording;

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

/// Takes a file's bytes in order and puts them on the GPU.
pub struct ModelLoader {
    gpu: Gpu,
    plan: ModelPlan,
    feeder: Feeder,
    /// The first kernels, compiled by other threads beside all that follows.
    warm: Warm,
}

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
        let (weights, vectors) = (plan.weights(), plan.vectors());
        let host = plan.rope_freqs.as_ref();
        let feeder = Feeder::new(gpu, gguf, &plan.recording, weights, vectors, host).await?;
        Ok(Self { gpu: gpu.clone(), plan, feeder, warm })
    }

    /// Bytes of the file, in order and without gaps from `gguf.data_offset_bytes` on, in slices of
    /// any size. Holds no more than a few rows of a tensor at a time.
    ///
    /// # Errors
    /// [`EngineError::InvalidModel`] for more bytes than the file has, [`EngineError::DeviceLost`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        self.feeder.push(bytes)
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
        self.feeder.check_whole()?;
        let Feeder { buffers, host, .. } = self.feeder;
        let freq_factors: Vec<f32> = host
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        let config = &self.plan.config;
        let n_ctx = self.plan.n_ctx;
        let factors = (!freq_factors.is_empty()).then_some(freq_factors.as_slice());
        let table = rope_table(&config.rope, config.rope_dim, n_ctx, factors);
        buffers.write(self.plan.rope, 0, bytemuck::cast_slice(&table));
        if self.plan.rope_local != self.plan.rope {
            let table = rope_table(&config.rope_local, config.rope_dim, n_ctx, None);
            buffers.write(self.plan.rope_local, 0, bytemuck::cast_slice(&table));
        }
        self.gpu.flush();
        Engine::new(self.gpu, self.plan, buffers, self.warm).await
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
    check_buffers(&plan.recording, caps)?;
    Ok(plan)
}

/// # Errors
/// [`EngineError::Unsupported`] names the buffer that is too large for the device.
pub(super) fn check_buffers(recording: &Recording, caps: &Capabilities) -> Result<(), EngineError> {
    let largest = recording.buffers.iter().max_by_key(|buffer| buffer.size_bytes);
    match largest {
        Some(buffer) if buffer.size_bytes > caps.max_buffer_bytes => {
            Err(EngineError::unsupported(format!(
                "{} takes {} bytes, the device's buffers hold {}",
                buffer.label, buffer.size_bytes, caps.max_buffer_bytes
            )))
        }
        _ => Ok(()),
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
    let (gpu, options) = (GpuOptions::default(), LoadOptions::default());
    if EncoderConfig::is_in(gguf) {
        return encoder::plan(gguf, caps, &gpu, &options).map(drop);
    }
    plan(gguf, caps, &gpu, &options).map(drop)
}
