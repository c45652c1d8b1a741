//! The product with AVX-512 and VNNI: a register holds 16 rows, a byte broadcast feeds all of them.

#![allow(
    clippy::needless_range_loop,
    reason = "iterators are functions of their own, compiled without the vectors' features"
)]

use std::arch::x86_64::*;
use std::ops::Range;

use super::TileTask;
use crate::blocks::RUN;
use crate::matrix::{Layout, TILE_ROWS};

/// Tokens whose sums are held in registers at once.
const TOKENS: usize = 8;

/// # Safety
/// The CPU has AVX-512 F, BW, VL, VNNI, F16C and FMA.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
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

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
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
        if token + 4 <= tokens.end {
            some::<BITS, FINE, MIN, 4>(task, token);
            token += 4;
        }
        if token + 2 <= tokens.end {
            some::<BITS, FINE, MIN, 2>(task, token);
            token += 2;
        }
        if token < tokens.end {
            some::<BITS, FINE, MIN, 1>(task, token);
        }
    }
}

/// The body for each of up to 8 tokens, written out.
macro_rules! each_token {
    ($n:ident, $t:ident, $body:block) => {
        each_token!(@ $n, $t, $body, 0 1 2 3 4 5 6 7)
    };
    (@ $n:ident, $t:ident, $body:block, $($at:literal)*) => {
        $(if $n > $at {
            let $t = $at;
            $body
        })*
    };
}

/// The weights of a run, a vector for each of its 8 groups.
///
/// # Safety
/// For inlining into functions with the features; `values` is at a run of `BITS` bits.
#[inline(always)]
unsafe fn unpack<const BITS: u32>(values: *const u8) -> [__m512i; 8] {
    // SAFETY: the caller's pointer is at a run of this many bits.
    unsafe {
        let mut groups = [_mm512_setzero_si512(); 8];
        if BITS == 8 {
            for group in 0..8 {
                groups[group] = _mm512_loadu_si512(values.add(group * 64).cast());
            }
            return groups;
        }
        let low = _mm512_set1_epi8(0xf);
        for pair in 0..4 {
            let both = _mm512_loadu_si512(values.add(pair * 64).cast());
            groups[2 * pair] = _mm512_and_si512(both, low);
            groups[2 * pair + 1] = _mm512_and_si512(_mm512_srli_epi16::<4>(both), low);
        }
        for plane in 0..BITS as usize - 4 {
            let bit = _mm512_set1_epi8(16 << plane);
            for group in 0..8 {
                let mask: *const u64 = values.add(256 + plane * 64 + group * 8).cast();
                let (mask, vector) = (mask.read_unaligned(), groups[group]);
                groups[group] = _mm512_mask_add_epi8(vector, mask, vector, bit);
            }
        }
        groups
    }
}

/// Adds 16 rows' products with four groups of 4 values from `x` on.
///
/// # Safety
/// For inlining into functions with the features; `x` is at a run.
#[inline(always)]
unsafe fn dot4(start: __m512i, groups: &[__m512i; 8], from: usize, x: *const i32) -> __m512i {
    let mut dot = start;
    // SAFETY: `x` is at a run of 32 values.
    unsafe {
        for group in from..from + 4 {
            let x = _mm512_set1_epi32(x.add(group).read_unaligned());
            dot = _mm512_dpbusd_epi32(dot, groups[group], x);
        }
    }
    dot
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
unsafe fn some<const BITS: u32, const FINE: bool, const MIN: bool, const T: usize>(
    task: &TileTask<'_>,
    first: usize,
) {
    let (input, tile) = (task.input, task.matrix.tile(task.tile));
    let (cols, n_runs) = (input.cols(), input.cols() / RUN);
    let values_bytes = TILE_ROWS * RUN * BITS as usize / 8;
    let run_bytes = task.matrix.layout.run_bytes();
    let mut acc = [_mm512_setzero_ps(); T];
    // SAFETY: runs are within the tile, and tokens `first..first + T` are rows of the input, whose
    // arrays have a value for each run.
    unsafe {
        let x = input.q.as_ptr().add(first * cols);
        let scale_x = input.scale.as_ptr().add(first * n_runs);
        let sum_x = input.scaled_sum.as_ptr().add(first * n_runs);
        let negative_x = input.negative_sum.as_ptr().add(first * n_runs * 2);
        let zero = |negative_sum: i32| _mm512_set1_epi32(negative_sum << (BITS - 1));
        for index in 0..n_runs {
            let values = tile.as_ptr().add(index * run_bytes);
            let scales = values.add(values_bytes);
            let groups = unpack::<BITS>(values);
            let scale = _mm512_cvtph_ps(_mm256_loadu_si256(scales.cast()));
            let second = if FINE || MIN {
                _mm512_cvtph_ps(_mm256_loadu_si256(scales.add(32).cast()))
            } else {
                _mm512_setzero_ps()
            };
            // Written out for each token: in a loop the sums would live in memory.
            each_token!(T, t, {
                let x: *const i32 = x.add(t * cols + index * RUN).cast();
                let at = t * n_runs + index;
                let scale_x = _mm512_set1_ps(*scale_x.add(at));
                let negative_x = negative_x.add(at * 2);
                if FINE {
                    let dot = dot4(zero(*negative_x), &groups, 0, x);
                    let factor = _mm512_mul_ps(scale, scale_x);
                    acc[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), factor, acc[t]);
                    let dot = dot4(zero(*negative_x.add(1)), &groups, 4, x);
                    let factor = _mm512_mul_ps(second, scale_x);
                    acc[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), factor, acc[t]);
                } else {
                    let start = if MIN {
                        _mm512_setzero_si512()
                    } else {
                        zero(*negative_x + *negative_x.add(1))
                    };
                    let dot = dot4(dot4(start, &groups, 0, x), &groups, 4, x);
                    let factor = _mm512_mul_ps(scale, scale_x);
                    acc[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), factor, acc[t]);
                    if MIN {
                        acc[t] = _mm512_fmadd_ps(second, _mm512_set1_ps(*sum_x.add(at)), acc[t]);
                    }
                }
            });
        }
        for t in 0..T {
            _mm512_storeu_ps(task.out(first + t).as_mut_ptr(), acc[t]);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma,f16c")]
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

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma,f16c")]
unsafe fn some_float<const IS_F32: bool, const T: usize>(task: &TileTask<'_>, first: usize) {
    let (input, tile) = (task.input, task.matrix.tile(task.tile));
    let cols = input.cols();
    let mut acc = [_mm512_setzero_ps(); T];
    // SAFETY: a tile has 16 values for each column, and tokens are rows of the input.
    unsafe {
        let x = input.floats.as_ptr().add(first * cols);
        for col in 0..cols {
            let weights = if IS_F32 {
                _mm512_loadu_ps(tile.as_ptr().add(col * 64).cast())
            } else {
                _mm512_cvtph_ps(_mm256_loadu_si256(tile.as_ptr().add(col * 32).cast()))
            };
            each_token!(T, t, {
                acc[t] = _mm512_fmadd_ps(weights, _mm512_set1_ps(*x.add(t * cols + col)), acc[t]);
            });
        }
        for t in 0..T {
            _mm512_storeu_ps(task.out(first + t).as_mut_ptr(), acc[t]);
        }
    }
}
