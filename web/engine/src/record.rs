//! What is to run on the GPU? Plain data that model code records once and the executor replays.
//!
//! After vello's `Recording` → `wgpu_engine`: nothing here knows wgpu, so a plan can be counted,
//! printed and tested without a device.

use std::borrow::Cow;

/// A kernel of `kernels/*.wgsl` with the values of its preprocessor's symbols: one pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KernelKey {
    /// File stem in `kernels/`.
    pub name: &'static str,
    /// Symbols for the preprocessor, in the order of the variant table: `("WG", 64)`.
    pub defines: Vec<(&'static str, u32)>,
}

/// A buffer of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// What a buffer is for decides its usage flags and when it is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferKind {
    /// Written once while a model loads.
    Weight,
    /// Keys and values; lives as long as a session.
    KvCache,
    /// Between kernels.
    Activation,
    /// A few words that the CPU writes for each submit (`queue.writeBuffer`).
    Params,
    /// Copied from for read-back.
    Output,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferDesc {
    pub label: Cow<'static, str>,
    pub kind: BufferKind,
    pub size_bytes: u64,
}

/// A part of a buffer bound to a kernel's next `@binding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    pub buffer: BufferId,
    /// A multiple of 256.
    pub offset_bytes: u64,
    /// None: to the buffer's end.
    pub size_bytes: Option<u64>,
}

impl From<BufferId> for Binding {
    fn from(buffer: BufferId) -> Self {
        Self { buffer, offset_bytes: 0, size_bytes: None }
    }
}

/// One kernel launch. Values that change from token to token are read by the kernel from a
/// [`BufferKind::Params`] buffer, so that a recorded dispatch never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    pub kernel: KernelKey,
    /// `@group(0) @binding(i)` in order.
    pub bindings: Vec<Binding>,
    pub workgroups: [u32; 3],
    /// For timings and counts: `layer3.gate_up`.
    pub label: Cow<'static, str>,
}

/// Buffers and the dispatches over them.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    pub buffers: Vec<BufferDesc>,
    pub dispatches: Vec<Dispatch>,
}

impl Recording {
    pub fn buffer(
        &mut self,
        label: impl Into<Cow<'static, str>>,
        kind: BufferKind,
        size_bytes: u64,
    ) -> BufferId {
        let id = BufferId(self.buffers.len() as u32);
        self.buffers.push(BufferDesc { label: label.into(), kind, size_bytes });
        id
    }

    pub fn dispatch(&mut self, dispatch: Dispatch) {
        self.dispatches.push(dispatch);
    }
}
