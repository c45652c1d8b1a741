//! Where do a recording's buffers lie, and when is their memory given back?

use super::Gpu;
use crate::EngineError;
use crate::record::{BufferDesc, BufferId, BufferKind};

/// The buffers of a model, by [`BufferId`]. Dropping them destroys them: in a browser a mere drop
/// would wait for JavaScript's garbage collection.
pub(crate) struct Buffers {
    gpu: Gpu,
    buffers: Vec<wgpu::Buffer>,
    bytes: u64,
}

fn usage(kind: BufferKind) -> wgpu::BufferUsages {
    use wgpu::BufferUsages as U;
    match kind {
        BufferKind::Weight => U::STORAGE | U::COPY_DST,
        BufferKind::KvCache | BufferKind::Activation | BufferKind::Params | BufferKind::Output => {
            U::STORAGE | U::COPY_DST | U::COPY_SRC
        }
    }
}

impl Buffers {
    pub fn new(gpu: &Gpu) -> Self {
        Self { gpu: gpu.clone(), buffers: Vec::new(), bytes: 0 }
    }

    /// Makes the buffers that `descs` has beyond those that are already here.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`] where the device has no room; nothing of `descs` stays then.
    pub async fn extend(&mut self, descs: &[BufferDesc]) -> Result<(), EngineError> {
        let first = self.buffers.len();
        let device = self.gpu.device();
        let mut needed_bytes = 0;
        for desc in &descs[first..] {
            if desc.size_bytes > self.gpu.caps().max_buffer_bytes {
                return Err(EngineError::OutOfMemory { needed_bytes: desc.size_bytes });
            }
            needed_bytes += padded(desc.size_bytes);
        }
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        for desc in &descs[first..] {
            self.buffers.push(device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(&desc.label),
                size: padded(desc.size_bytes),
                usage: usage(desc.kind),
                mapped_at_creation: false,
            }));
        }
        self.gpu.count_objects((self.buffers.len() - first) as u64);
        let (memory, validation) = (memory.pop(), validation.pop());
        let failure = match (memory.await, validation.await) {
            (Some(_), _) => EngineError::OutOfMemory { needed_bytes },
            (None, Some(error)) => EngineError::internal(error.to_string()),
            (None, None) => {
                self.bytes += needed_bytes;
                return self.gpu.check();
            }
        };
        for buffer in self.buffers.drain(first..) {
            buffer.destroy();
        }
        Err(failure)
    }

    pub fn get(&self, id: BufferId) -> &wgpu::Buffer {
        &self.buffers[id.0 as usize]
    }

    /// What the buffers take on the device.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes before the next submit. `offset_bytes` and the length are multiples of 4.
    pub fn write(&self, id: BufferId, offset_bytes: u64, bytes: &[u8]) {
        self.gpu.queue().write_buffer(self.get(id), offset_bytes, bytes);
    }
}

/// WebGPU wants multiples of 4 and no empty bindings.
fn padded(size_bytes: u64) -> u64 {
    size_bytes.max(4).next_multiple_of(4)
}

impl Drop for Buffers {
    fn drop(&mut self) {
        for buffer in &self.buffers {
            buffer.destroy();
        }
    }
}
