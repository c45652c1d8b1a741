//! How fast does this device stream and multiply?

use super::Rates;
use crate::EngineError;
use crate::gpu::{Buffers, Copy, Executor, Gpu, Run, Staging, now_ms};
use crate::plan::Planned;
use crate::record::{BufferKind, Dispatch, KernelKey, Recording};

/// Streamed at once: beyond every cache.
const STREAM_BYTES: u64 = 96 << 20;
const LANES: u32 = 64;
const DOT_STEPS: u32 = 256;
const DOT_GROUPS: u32 = 1024;
/// A measurement lasts at least this long, and the best of several counts: other work on the
/// machine can only slow it down.
const MIN_MS: f64 = 60.0;
const TRIALS: usize = 5;

/// Runs the micro-kernels.
///
/// # Errors
/// [`EngineError::OutOfMemory`], [`EngineError::DeviceLost`].
pub async fn measure(gpu: &Gpu) -> Result<Rates, EngineError> {
    let stream_bytes = STREAM_BYTES.min(gpu.caps().max_binding_bytes) & !0xffff;
    let mut bytes_per_s = 0.0_f64;
    // What streams best differs: wide workgroups on GPUs, single registers where a CPU imitates one.
    for (lanes, steps) in [(64, 16), (8, 128), (4, 256)] {
        let per_group = u64::from(lanes * steps * 4 * 16);
        let groups = (stream_bytes / per_group) as u32;
        let taken_s = seconds(gpu, stream_bytes, groups, || stream(lanes, steps)).await?;
        bytes_per_s = bytes_per_s.max(f64::from(groups) * per_group as f64 / taken_s);
    }
    let dispatch_s = seconds(gpu, 1 << 16, 16, || stream(4, 1)).await?;
    let dot = |dot: u32| {
        move || KernelKey {
            name: "roofline_dot",
            defines: vec![("LANES", LANES), ("STEPS", DOT_STEPS), ("DOT", dot)],
        }
    };
    let lanes = f64::from(DOT_GROUPS * LANES) * f64::from(DOT_STEPS);
    let f32_s = seconds(gpu, 1 << 16, DOT_GROUPS, dot(0)).await?;
    let dot4_macs_per_s = if gpu.caps().dot4_i8 {
        lanes * 32.0 / seconds(gpu, 1 << 16, DOT_GROUPS, dot(1)).await?
    } else {
        0.0
    };
    Ok(Rates { bytes_per_s, dispatch_s, f32_macs_per_s: lanes * 32.0 / f32_s, dot4_macs_per_s })
}

/// Reads `lanes·steps·4` vectors a workgroup.
fn stream(lanes: u32, steps: u32) -> KernelKey {
    KernelKey { name: "roofline_stream", defines: vec![("LANES", lanes), ("STEPS", steps)] }
}

/// The least seconds that one dispatch of `groups` workgroups took.
async fn seconds(
    gpu: &Gpu,
    data_bytes: u64,
    groups: u32,
    kernel: impl Fn() -> KernelKey,
) -> Result<f64, EngineError> {
    let mut recording = Recording::default();
    let data = recording.buffer("data", BufferKind::Weight, data_bytes);
    let sums =
        recording.buffer("sums", BufferKind::Activation, u64::from(groups) * u64::from(LANES) * 16);
    let mut buffers = Buffers::new(gpu);
    buffers.extend(&recording.buffers).await?;
    // Memory that was never written may not be there at all.
    let bytes: Vec<u8> =
        (0..1_u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for offset in (0..data_bytes).step_by(bytes.len()) {
        let length = (data_bytes - offset).min(bytes.len() as u64) as usize;
        buffers.write(data, offset, &bytes[..length]);
    }
    let mut executor = Executor::new(gpu);
    let planned = Planned::fixed(Dispatch {
        kernel: kernel(),
        bindings: vec![data.into(), sums.into()],
        workgroups: [groups, 1, 1],
        label: "roofline".into(),
    });
    let program = executor.compile(&buffers, &[planned]).await?;
    let staging = Staging::new(gpu, 1, 16).await?;
    let copy = Copy { buffer: sums, offset_bytes: 0, size_bytes: 16, slot: 0 };
    let mut repeats = 1;
    let mut best = f64::INFINITY;
    let mut trials = 0;
    while trials < TRIALS {
        let runs = vec![Run::whole(&program); repeats];
        let start_ms = now_ms();
        if let Some(pending) = executor.submit(&runs, &buffers, &staging, Some(copy)) {
            staging.wait(pending, |_| ()).await?;
        }
        let ms = now_ms() - start_ms;
        if ms < MIN_MS && repeats < 1 << 14 {
            // The first run also compiled; the loop settles within a few doublings.
            repeats *= 2;
            continue;
        }
        best = best.min(ms / 1e3 / repeats as f64);
        trials += 1;
    }
    Ok(best)
}
