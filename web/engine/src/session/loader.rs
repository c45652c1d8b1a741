//! How does a model file become buffers on the GPU without ever lying whole in memory?

use portico_shared::gguf::Gguf;

use super::Engine;
use crate::EngineError;
use crate::caps::{Capabilities, Precision};
use crate::gpu::Gpu;

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
}

impl ModelLoader {
    /// Allocates the model's buffers.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`], [`EngineError::InvalidModel`], [`EngineError::OutOfMemory`].
    pub async fn new(
        gpu: &Gpu,
        gguf: &Gguf,
        options: &LoadOptions,
    ) -> Result<Self, EngineError> {
        supports(gguf, gpu.caps())?;
        let _ = options;
        Ok(Self { gpu: gpu.clone() })
    }

    /// Bytes of the file, in order and without gaps from `gguf.data_offset_bytes` on, in slices of
    /// any size. Holds no more than a few rows of a tensor at a time.
    ///
    /// # Errors
    /// [`EngineError::InvalidModel`] for more bytes than the file has.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let _ = bytes;
        Ok(())
    }

    /// Compiles the pipelines.
    ///
    /// # Errors
    /// [`EngineError::InvalidModel`] when bytes are missing.
    pub async fn finish(self) -> Result<Engine, EngineError> {
        let _ = self.gpu;
        Err(EngineError::internal("being written"))
    }
}

/// Bytes that a model takes on the GPU with a context of `n_ctx` tokens; an estimate within a few
/// per cent.
///
/// # Errors
/// As [`supports`].
pub fn memory_estimate(gguf: &Gguf, n_ctx: u32) -> Result<u64, EngineError> {
    let _ = n_ctx;
    Ok(gguf.tensors.iter().map(|tensor| tensor.size_bytes).sum())
}

/// Whether this engine runs the model on such a device, judged by the file's header alone.
///
/// # Errors
/// [`EngineError::Unsupported`] names the architecture, the tensor type or the size that cannot be
/// run; [`EngineError::InvalidModel`] a header that contradicts itself.
pub fn supports(gguf: &Gguf, caps: &Capabilities) -> Result<(), EngineError> {
    let _ = (gguf, caps);
    Ok(())
}
