//! How do bytes come back from the device without an object made for each time?

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::{Gpu, lock, platform};
use crate::EngineError;

/// A ring of mappable buffers. A slot is busy from the submit that copies into it until its
/// [`Pending`] was waited for.
pub(crate) struct Staging {
    gpu: Gpu,
    slots: Vec<wgpu::Buffer>,
}

/// A copy on its way back to the CPU.
pub(crate) struct Pending {
    slot: usize,
    size_bytes: u64,
    submission: wgpu::SubmissionIndex,
    signal: Signal,
}

impl Staging {
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub async fn new(gpu: &Gpu, n_slots: usize, slot_bytes: u64) -> Result<Self, EngineError> {
        let memory = gpu.device().push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let slots = (0..n_slots)
            .map(|_| {
                gpu.device().create_buffer(&wgpu::BufferDescriptor {
                    label: Some("staging"),
                    size: slot_bytes,
                    usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                })
            })
            .collect();
        gpu.count_objects(n_slots as u64);
        let staging = Self { gpu: gpu.clone(), slots };
        match memory.pop().await {
            Some(_) => Err(EngineError::OutOfMemory { needed_bytes: slot_bytes * n_slots as u64 }),
            None => Ok(staging),
        }
    }

    pub(super) fn slot(&self, slot: usize) -> &wgpu::Buffer {
        &self.slots[slot]
    }

    /// Asks for the first `size_bytes` of a slot that `submission` fills.
    pub(super) fn map(
        &self,
        slot: usize,
        size_bytes: u64,
        submission: wgpu::SubmissionIndex,
    ) -> Pending {
        let signal = Signal::default();
        let done = signal.clone();
        self.slots[slot]
            .slice(..size_bytes)
            .map_async(wgpu::MapMode::Read, move |result| done.set(result.is_ok()));
        Pending { slot, size_bytes, submission, signal }
    }

    /// Waits for a copy and hands its bytes to `read`.
    ///
    /// # Errors
    /// [`EngineError::DeviceLost`]; [`EngineError::Internal`] for a refused command.
    pub async fn wait<T>(
        &self,
        pending: Pending,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, EngineError> {
        platform::drive(self.gpu.device(), Some(pending.submission))?;
        let mapped =
            if platform::DRIVES && !pending.signal.is_set() { false } else { pending.signal.await };
        self.gpu.check()?;
        let lost = || EngineError::DeviceLost { reason: "a read-back was aborted".to_owned() };
        if !mapped {
            return Err(lost());
        }
        let buffer = &self.slots[pending.slot];
        let value = {
            let view = buffer.slice(..pending.size_bytes).get_mapped_range().map_err(|_| lost())?;
            read(&view)
        };
        buffer.unmap();
        self.gpu.inner.counters.bytes_read_back.fetch_add(pending.size_bytes, Ordering::Relaxed);
        Ok(value)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        for slot in &self.slots {
            slot.destroy();
        }
    }
}

#[derive(Default)]
struct SignalState {
    /// Whether the buffer was mapped, once it is known.
    mapped: Option<bool>,
    waker: Option<Waker>,
}

/// A future that a callback completes.
#[derive(Clone, Default)]
struct Signal(Arc<Mutex<SignalState>>);

impl Signal {
    fn set(&self, mapped: bool) {
        let mut state = lock(&self.0);
        state.mapped = Some(mapped);
        if let Some(waker) = state.waker.take() {
            drop(state);
            waker.wake();
        }
    }

    fn is_set(&self) -> bool {
        lock(&self.0).mapped.is_some()
    }
}

impl Future for Signal {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        let mut state = lock(&self.0);
        match state.mapped {
            Some(mapped) => Poll::Ready(mapped),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
