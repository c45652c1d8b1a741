//! The product with AVX2: two registers of 8 rows each, bytes multiplied into pairs and pairs added.

#![allow(
    clippy::needless_range_loop,
    reason = "iterators are functions of their own, compiled without the vectors' features"
)]

use std::arch::x86_64::*;
use std::ops::Range;

use super::TileTask;
use crate::blocks::RUN;
use crate::matrix::{Layout, TILE_ROWS};

/// Tokens whose sums are held at once.
const TOKENS: usize = 4;

/// # Safety
/// The CPU has AVX2, FMA and F16C.
#[target_feature(enable = "avx2,fma,f16c")]
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

#[target_feature(enable = "avx2,fma,f16c")]
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

/// Group `group`'s weights of 8 rows, the first or the second.
///
/// # Safety
/// For inlining into functions with the features; `values` is at a run of `BITS` bits.
#[inline(always)]
unsafe fn unpack<const BITS: u32>(values: *const u8, group: usize, half: usize) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe {
        if BITS == 8 {
            return _mm256_loadu_si256(values.add(group * 64 + half * 32).cast());
        }
        let both = _mm256_loadu_si256(values.add(group / 2 * 64 + half * 32).cast());
        let nibbles = if group.is_multiple_of(2) { both } else { _mm256_srli_epi16::<4>(both) };
        let mut vector = _mm256_and_si256(nibbles, _mm256_set1_epi8(0xf));
        // Each byte looks at the bit that is its own.
        let spread = _mm256_setr_epi64x(
            0,
            0x0101_0101_0101_0101,
            0x0202_0202_0202_0202,
            0x0303_0303_0303_0303,
        );
        let own = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
        for plane in 0..BITS as usize - 4 {
            let bits: *const i32 = values.add(256 + plane * 64 + group * 8 + half * 4).cast();
            let bits = _mm256_set1_epi32(bits.read_unaligned());
            let set = _mm256_and_si256(_mm256_shuffle_epi8(bits, spread), own);
            let set = _mm256_cmpeq_epi8(set, own);
            let bit = _mm256_and_si256(set, _mm256_set1_epi8(16 << plane));
            vector = _mm256_or_si256(vector, bit);
        }
        vector
    }
}

/// Adds 8 rows' products of 4 bytes each.
///
/// # Safety
/// For inlining into functions with the features.
#[inline(always)]
unsafe fn dot<const BITS: u32>(sum: __m256i, weights: __m256i, x: __m256i) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe {
        let pairs = if BITS == 8 {
            // Two products of full bytes overflow a pair: signs move to the other factor.
            let signed = _mm256_xor_si256(weights, _mm256_set1_epi8(-128));
            _mm256_maddubs_epi16(_mm256_abs_epi8(signed), _mm256_sign_epi8(x, signed))
        } else {
            _mm256_maddubs_epi16(weights, x)
        };
        _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn some<const BITS: u32, const FINE: bool, const MIN: bool, const T: usize>(
    task: &TileTask<'_>,
    first: usize,
) {
    let (input, tile) = (task.input, task.matrix.tile(task.tile));
    let (cols, n_runs) = (input.cols(), input.cols() / RUN);
    let values_bytes = TILE_ROWS * RUN * BITS as usize / 8;
    let run_bytes = task.matrix.layout.run_bytes();
    let mut acc = [[_mm256_setzero_ps(); 2]; T];
    // SAFETY: runs are within the tile, and tokens `first..first + T` are rows of the input, whose
    // arrays have a value for each run.
    unsafe {
        let x = input.q.as_ptr().add(first * cols);
        let scale_x = input.scale.as_ptr().add(first * n_runs);
        let sum_x = input.scaled_sum.as_ptr().add(first * n_runs);
        let negative_x = input.negative_sum.as_ptr().add(first * n_runs * 2);
        // Bytes are signed here, and have no zero point.
        let zero = |negative_sum: i32| {
            _mm256_set1_epi32(if MIN || BITS == 8 { 0 } else { negative_sum << (BITS - 1) })
        };
        let halves = |at: *const u8| _mm256_cvtph_ps(_mm_loadu_si128(at.cast()));
        for index in 0..n_runs {
            let values = tile.as_ptr().add(index * run_bytes);
            let scales = values.add(values_bytes);
            for half in 0..2 {
                // Where scales are fine, the first 4 groups end with the first scale.
                let parts = if FINE { 2 } else { 1 };
                for part in 0..parts {
                    let mut dots = [_mm256_setzero_si256(); T];
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
                        let weights = unpack::<BITS>(values, group, half);
                        for t in 0..T {
                            let x: *const i32 = x.add(t * cols + index * RUN + group * 4).cast();
                            let x = _mm256_set1_epi32(x.read_unaligned());
                            dots[t] = dot::<BITS>(dots[t], weights, x);
                        }
                    }
                    let scale = halves(scales.add(part * 32 + half * 16));
                    for t in 0..T {
                        let factor = _mm256_set1_ps(*scale_x.add(t * n_runs + index));
                        let factor = _mm256_mul_ps(scale, factor);
                        let dot = _mm256_cvtepi32_ps(dots[t]);
                        acc[t][half] = _mm256_fmadd_ps(dot, factor, acc[t][half]);
                    }
                }
                if MIN {
                    let min = halves(scales.add(32 + half * 16));
                    for t in 0..T {
                        let sum = _mm256_set1_ps(*sum_x.add(t * n_runs + index));
                        acc[t][half] = _mm256_fmadd_ps(min, sum, acc[t][half]);
                    }
                }
            }
        }
        for t in 0..T {
            let out = task.out(first + t).as_mut_ptr();
            _mm256_storeu_ps(out, acc[t][0]);
            _mm256_storeu_ps(out.add(8), acc[t][1]);
        }
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
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

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn some_float<const IS_F32: bool, const T: usize>(task: &TileTask<'_>, first: usize) {
    let (input, tile) = (task.input, task.matrix.tile(task.tile));
    let cols = input.cols();
    let mut acc = [[_mm256_setzero_ps(); 2]; T];
    // SAFETY: a tile has 16 values for each column, and tokens are rows of the input.
    unsafe {
        let x = input.floats.as_ptr().add(first * cols);
        for col in 0..cols {
            for half in 0..2 {
                let at = col * TILE_ROWS + half * 8;
                let weights = if IS_F32 {
                    _mm256_loadu_ps(tile.as_ptr().add(at * 4).cast())
                } else {
                    _mm256_cvtph_ps(_mm_loadu_si128(tile.as_ptr().add(at * 2).cast()))
                };
                for t in 0..T {
                    let x = _mm256_set1_ps(*x.add(t * cols + col));
                    acc[t][half] = _mm256_fmadd_ps(weights, x, acc[t][half]);
                }
            }
        }
        for t in 0..T {
            let out = task.out(first + t).as_mut_ptr();
            _mm256_storeu_ps(out, acc[t][0]);
            _mm256_storeu_ps(out.add(8), acc[t][1]);
        }
    }
}
