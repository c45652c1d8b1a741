//! The product with NEON's dot products: four registers of 4 rows each.

#![allow(
    clippy::needless_range_loop,
    reason = "iterators are functions of their own, compiled without the vectors' features"
)]

use std::arch::aarch64::*;
use std::arch::asm;
use std::ops::Range;

use super::TileTask;
use crate::blocks::RUN;
use crate::matrix::{Layout, TILE_ROWS};

/// Tokens whose sums are held at once.
const TOKENS: usize = 4;
/// Registers of a tile's 16 rows.
const QUARTERS: usize = 4;

/// # Safety
/// The CPU has the dot product.
#[target_feature(enable = "neon,dotprod")]
pub(super) unsafe fn multiply(task: &TileTask<'_>, tokens: Range<usize>) {
    // SAFETY: the features are this function's own.
    unsafe {
        match task.matrix.layout {
            Layout::F32 => float::<true>(task, tokens),
            Layout::F16 => float::<false>(task, tokens),
            Layout::Quantised { bits: 4, has_min: false, .. } => {
                all::<4, false, false>(task, tokens);
            }
            Layout::Quantised { bits: 4, has_min: true, .. } => all::<4, false, true>(task, tokens),
            Layout::Quantised { bits: 5, has_min: false, .. } => {
                all::<5, false, false>(task, tokens);
            }
            Layout::Quantised { bits: 5, has_min: true, .. } => all::<5, false, true>(task, tokens),
            Layout::Quantised { bits: 6, .. } => all::<6, true, false>(task, tokens),
            Layout::Quantised { .. } => all::<8, false, false>(task, tokens),
        }
    }
}

#[target_feature(enable = "neon,dotprod")]
unsafe fn all<const BITS: u32, const FINE: bool, const MIN: bool>(
    task: &TileTask<'_>,
    tokens: Range<usize>,
) {
    let mut token = tokens.start;
    // SAFETY: the features are this function's own; tokens are rows of the input.
    unsafe {
        while token + TOKENS <= tokens.end {
            some::<BITS, FINE, MIN, TOKENS>(task, token);
            token += TOKENS;
        }
        while token < tokens.end {
            some::<BITS, FINE, MIN, 1>(task, token);
            token += 1;
        }
    }
}

/// Group `group`'s weights of 4 rows, as signed bytes.
///
/// # Safety
/// For inlining into functions with the features; `values` is at a run of `BITS` bits.
#[inline(always)]
unsafe fn unpack<const BITS: u32>(values: *const u8, group: usize, quarter: usize) -> int8x16_t {
    // SAFETY: the caller's promise.
    unsafe {
        if BITS == 8 {
            let bytes = vld1q_u8(values.add(group * 64 + quarter * 16));
            return vreinterpretq_s8_u8(veorq_u8(bytes, vdupq_n_u8(0x80)));
        }
        let both = vld1q_u8(values.add(group / 2 * 64 + quarter * 16));
        let mut vector = match group.is_multiple_of(2) {
            true => vandq_u8(both, vdupq_n_u8(0xf)),
            false => vshrq_n_u8::<4>(both),
        };
        // Each byte looks at the bit that is its own.
        let own = vcreate_u8(0x8040_2010_0804_0201);
        let own = vcombine_u8(own, own);
        for plane in 0..BITS as usize - 4 {
            let bits = values.add(256 + plane * 64 + group * 8 + quarter * 2);
            let bits = vcombine_u8(vdup_n_u8(*bits), vdup_n_u8(*bits.add(1)));
            let bit = vandq_u8(vtstq_u8(bits, own), vdupq_n_u8(16 << plane));
            vector = vorrq_u8(vector, bit);
        }
        vreinterpretq_s8_u8(vector)
    }
}

/// Adds 4 rows' products of 4 bytes each. Rust's own name for it (`vdotq_s32`) is not stable yet.
///
/// # Safety
/// The CPU has the dot product.
#[inline(always)]
unsafe fn dot(mut sum: int32x4_t, weights: int8x16_t, x: int8x16_t) -> int32x4_t {
    // SAFETY: it reads and writes these registers only; the caller's promise.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {sum:v}.4s, {weights:v}.16b, {x:v}.16b",
            sum = inout(vreg) sum,
            weights = in(vreg) weights,
            x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// Four halves that are numbers, as floats: see `from_half_bits`.
///
/// # Safety
/// For inlining into functions with the features; four halves stand at `at`.
#[inline(always)]
unsafe fn halves(at: *const u8) -> float32x4_t {
    // SAFETY: the caller's promise; a register is read whatever its alignment.
    unsafe {
        let bits = vmovl_u16(vreinterpret_u16_u8(vld1_u8(at)));
        let magnitude = vshlq_n_u32::<13>(vandq_u32(bits, vdupq_n_u32(0x7fff)));
        let factor = vreinterpretq_f32_u32(vdupq_n_u32((112 + 127) << 23));
        let magnitude = vmulq_f32(vreinterpretq_f32_u32(magnitude), factor);
        let sign = vshlq_n_u32::<16>(vandq_u32(bits, vdupq_n_u32(0x8000)));
        vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(magnitude), sign))
    }
}

#[target_feature(enable = "neon,dotprod")]
unsafe fn some<const BITS: u32, const FINE: bool, const MIN: bool, const T: usize>(
    task: &TileTask<'_>,
    first: usize,
) {
    let (input, tile) = (task.input, task.matrix.tile(task.tile));
    let (cols, n_runs) = (input.cols(), input.cols() / RUN);
    let values_bytes = TILE_ROWS * RUN * BITS as usize / 8;
    let run_bytes = task.matrix.layout.run_bytes();
    let mut acc = [[vdupq_n_f32(0.0); QUARTERS]; T];
    // SAFETY: runs are within the tile, and tokens `first..first + T` are rows of the input, whose
    // arrays have a value for each run.
    unsafe {
        let x = input.q.as_ptr().add(first * cols);
        let scale_x = input.scale.as_ptr().add(first * n_runs);
        let sum_x = input.scaled_sum.as_ptr().add(first * n_runs);
        let negative_x = input.negative_sum.as_ptr().add(first * n_runs * 2);
        // Bytes are signed here, and have no zero point.
        let zero = |negative_sum: i32| {
            vdupq_n_s32(if MIN || BITS == 8 { 0 } else { negative_sum << (BITS - 1) })
        };
        for index in 0..n_runs {
            let values = tile.as_ptr().add(index * run_bytes);
            let scales = values.add(values_bytes);
            for quarter in 0..QUARTERS {
                // Where scales are fine, the first 4 groups end with the first scale.
                let parts = if FINE { 2 } else { 1 };
                for part in 0..parts {
                    let mut dots = [vdupq_n_s32(0); T];
                    for t in 0..T {
                        let negative_x = negative_x.add((t * n_runs + index) * 2);
                        dots[t] = if FINE {
                            zero(*negative_x.add(part))
                        } else {
                            zero(*negative_x + *negative_x.add(1))
                        };
                    }
                    for at in 0..8 / parts {
                        let group = part * 4 + at;
                        let weights = unpack::<BITS>(values, group, quarter);
                        for t in 0..T {
                            let x: *const i32 = x.add(t * cols + index * RUN + group * 4).cast();
                            let x = vreinterpretq_s8_s32(vdupq_n_s32(x.read_unaligned()));
                            dots[t] = dot(dots[t], weights, x);
                        }
                    }
                    let scale = halves(scales.add(part * 32 + quarter * 8));
                    for t in 0..T {
                        let factor = vmulq_n_f32(scale, *scale_x.add(t * n_runs + index));
                        acc[t][quarter] =
                            vfmaq_f32(acc[t][quarter], vcvtq_f32_s32(dots[t]), factor);
                    }
                }
                if MIN {
                    let min = halves(scales.add(32 + quarter * 8));
                    for t in 0..T {
                        let sum = *sum_x.add(t * n_runs + index);
                        acc[t][quarter] = vfmaq_n_f32(acc[t][quarter], min, sum);
                    }
                }
            }
        }
        for t in 0..T {
            let out = task.out(first + t).as_mut_ptr();
            for quarter in 0..QUARTERS {
                vst1q_f32(out.add(quarter * 4), acc[t][quarter]);
            }
        }
    }
}

#[target_feature(enable = "neon,dotprod")]
unsafe fn float<const IS_F32: bool>(task: &TileTask<'_>, tokens: Range<usize>) {
    let mut token = tokens.start;
    // SAFETY: the features are this function's own; tokens are rows of the input.
    unsafe {
        while token + TOKENS <= tokens.end {
            some_float::<IS_F32, TOKENS>(task, token);
            token += TOKENS;
        }
        while token < tokens.end {
            some_float::<IS_F32, 1>(task, token);
            token += 1;
        }
    }
}

#[target_feature(enable = "neon,dotprod")]
unsafe fn some_float<const IS_F32: bool, const T: usize>(task: &TileTask<'_>, first: usize) {
    let (input, tile) = (task.input, task.matrix.tile(task.tile));
    let cols = input.cols();
    let mut acc = [[vdupq_n_f32(0.0); QUARTERS]; T];
    // SAFETY: a tile has 16 values for each column, and tokens are rows of the input.
    unsafe {
        let x = input.floats.as_ptr().add(first * cols);
        for col in 0..cols {
            for quarter in 0..QUARTERS {
                let at = col * TILE_ROWS + quarter * 4;
                let weights = match IS_F32 {
                    true => vreinterpretq_f32_u8(vld1q_u8(tile.as_ptr().add(at * 4))),
                    false => halves(tile.as_ptr().add(at * 2)),
                };
                for t in 0..T {
                    acc[t][quarter] = vfmaq_n_f32(acc[t][quarter], weights, *x.add(t * cols + col));
                }
            }
        }
        for t in 0..T {
            let out = task.out(first + t).as_mut_ptr();
            for quarter in 0..QUARTERS {
                vst1q_f32(out.add(quarter * 4), acc[t][quarter]);
            }
        }
    }
}
