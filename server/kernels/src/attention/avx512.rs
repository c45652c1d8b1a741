//! Attention with AVX-512: 16 keys of a page are a register, and each one that is read serves all
//! heads of the group.

#![allow(
    clippy::needless_range_loop,
    reason = "iterators are functions of their own, compiled without the vectors' features"
)]

use std::arch::x86_64::*;

use super::AttentionTask;
use crate::kv::PAGE_TOKENS;

/// Heads that are computed together.
const HEADS: usize = 8;

/// # Safety
/// The CPU has AVX-512 F, BW, VL, DQ, F16C and FMA. Pages hold the keys `from..to`, which are some;
/// heads are whole and of a multiple of 32.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(super) unsafe fn attend(task: &AttentionTask<'_>, scores: &mut Vec<f32>, out: &mut [f32]) {
    let stride = task.page_range().len() * PAGE_TOKENS;
    let n_heads = task.queries.len() / task.head_dim;
    scores.resize(HEADS.min(n_heads) * stride, 0.0);
    let heads = HEADS * task.head_dim;
    for (queries, out) in task.queries.chunks(heads).zip(out.chunks_mut(heads)) {
        // SAFETY: the caller's promise, and room for the scores of these heads.
        unsafe {
            match queries.len() / task.head_dim {
                1 => group::<1, 4, 2>(task, queries, scores, stride, out),
                2 => group::<2, 4, 2>(task, queries, scores, stride, out),
                3 => group::<3, 4, 2>(task, queries, scores, stride, out),
                4 => group::<4, 4, 2>(task, queries, scores, stride, out),
                5 => group::<5, 2, 2>(task, queries, scores, stride, out),
                6 => group::<6, 2, 2>(task, queries, scores, stride, out),
                7 => group::<7, 2, 2>(task, queries, scores, stride, out),
                _ => group::<8, 2, 2>(task, queries, scores, stride, out),
            }
        }
    }
}

/// `G` heads; scores of `P` pages and `D` vectors of the output are in registers at once.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
unsafe fn group<const G: usize, const P: usize, const D: usize>(
    task: &AttentionTask<'_>,
    queries: &[f32],
    scores: &mut [f32],
    stride: usize,
    out: &mut [f32],
) {
    let range = task.page_range();
    let mut page = range.start;
    // SAFETY: the caller's promise.
    unsafe {
        while page + P <= range.end {
            score::<G, P>(task, queries, page, scores, stride);
            page += P;
        }
        while page < range.end {
            score::<G, 1>(task, queries, page, scores, stride);
            page += 1;
        }
        let mut inverse = [0f32; G];
        for (scores, inverse) in scores.chunks_exact_mut(stride).zip(&mut inverse) {
            *inverse = 1.0 / softmax(task, scores);
        }
        for block in (0..task.head_dim).step_by(D * 16) {
            weigh::<G, D>(task, scores, stride, block, &inverse, out);
        }
    }
}

/// Dot products of the queries with the keys of `P` pages from `page` on.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
unsafe fn score<const G: usize, const P: usize>(
    task: &AttentionTask<'_>,
    queries: &[f32],
    page: usize,
    scores: &mut [f32],
    stride: usize,
) {
    let dim = task.head_dim;
    let mut keys = [std::ptr::null::<u16>(); P];
    for (at, keys) in keys.iter_mut().enumerate() {
        *keys = task.pages[page + at].keys(task.layer, task.kv_head).as_ptr();
    }
    let mut acc = [[_mm512_setzero_ps(); P]; G];
    // SAFETY: a page has 16 keys for each dimension; queries are `G` heads; scores have room for a
    // page's 16 values at its place.
    unsafe {
        for d in 0..dim {
            let mut k = [_mm512_setzero_ps(); P];
            for p in 0..P {
                k[p] = _mm512_cvtph_ps(_mm256_loadu_si256(keys[p].add(d * PAGE_TOKENS).cast()));
            }
            for g in 0..G {
                let q = _mm512_set1_ps(*queries.as_ptr().add(g * dim + d));
                for p in 0..P {
                    acc[g][p] = _mm512_fmadd_ps(q, k[p], acc[g][p]);
                }
            }
        }
        let at = (page - task.from / PAGE_TOKENS) * PAGE_TOKENS;
        for (g, acc) in acc.iter().enumerate() {
            for (p, acc) in acc.iter().enumerate() {
                let to = &mut scores[g * stride + at + p * PAGE_TOKENS..][..PAGE_TOKENS];
                _mm512_storeu_ps(to.as_mut_ptr(), *acc);
            }
        }
    }
}

/// Turns scores into weights, 0 for keys that are not seen; their sum.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
unsafe fn softmax(task: &AttentionTask<'_>, scores: &mut [f32]) -> f32 {
    let base = task.page_range().start * PAGE_TOKENS;
    if let Some(cap) = task.softcap {
        for score in scores.iter_mut() {
            *score = cap * (*score / cap).tanh();
        }
    }
    let unseen = _mm512_set1_ps(f32::NEG_INFINITY);
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let from = _mm512_set1_epi32((task.from - base) as i32);
    let to = _mm512_set1_epi32((task.to - base) as i32);
    let mut largest = unseen;
    for (at, scores) in scores.chunks_exact_mut(16).enumerate() {
        let key = _mm512_add_epi32(lanes, _mm512_set1_epi32(at as i32 * 16));
        let seen = _mm512_cmpge_epi32_mask(key, from) & _mm512_cmplt_epi32_mask(key, to);
        // SAFETY: 16 scores.
        unsafe {
            let score = _mm512_mask_loadu_ps(unseen, seen, scores.as_ptr());
            _mm512_storeu_ps(scores.as_mut_ptr(), score);
            largest = _mm512_max_ps(largest, score);
        }
    }
    let largest = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
    let mut sum = _mm512_setzero_ps();
    for scores in scores.chunks_exact_mut(16) {
        // SAFETY: 16 scores.
        unsafe {
            let weight = exp(_mm512_sub_ps(_mm512_loadu_ps(scores.as_ptr()), largest));
            _mm512_storeu_ps(scores.as_mut_ptr(), weight);
            sum = _mm512_add_ps(sum, weight);
        }
    }
    _mm512_reduce_add_ps(sum)
}

/// `eˣ` for x up to 0, as [`crate::vector`]'s; what is below −87 becomes 0.
///
/// # Safety
/// For inlining into functions with the features.
#[inline(always)]
unsafe fn exp(x: __m512) -> __m512 {
    const TERMS: [f32; 5] = [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1];
    // SAFETY: the caller's promise.
    unsafe {
        let counts = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(x, _mm512_set1_ps(-87.0));
        let x = _mm512_max_ps(x, _mm512_set1_ps(-87.0));
        let log2_e = _mm512_set1_ps(std::f32::consts::LOG2_E);
        let n = _mm512_roundscale_ps::<0>(_mm512_mul_ps(x, log2_e));
        let r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693_359_4), x);
        let r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.121_944_4e-4), r);
        let mut p = _mm512_set1_ps(1.987_569_1e-4);
        for term in 0..TERMS.len() {
            p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(TERMS[term]));
        }
        let linear = _mm512_add_ps(r, _mm512_set1_ps(1.0));
        let value = _mm512_fmadd_ps(_mm512_mul_ps(p, r), r, linear);
        _mm512_maskz_mov_ps(counts, _mm512_scalef_ps(value, n))
    }
}

/// The weighted values' dimensions `block..block + 16 D`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
unsafe fn weigh<const G: usize, const D: usize>(
    task: &AttentionTask<'_>,
    weights: &[f32],
    stride: usize,
    block: usize,
    inverse: &[f32; G],
    out: &mut [f32],
) {
    let dim = task.head_dim;
    let mut acc = [[_mm512_setzero_ps(); D]; G];
    // SAFETY: a page has 16 values of `dim` dimensions; weights are `G` rows of `stride`; the block
    // lies within the head.
    unsafe {
        for (at, page) in task.pages[task.page_range()].iter().enumerate() {
            let values = page.values(task.layer, task.kv_head).as_ptr().add(block);
            let weights = weights.as_ptr().add(at * PAGE_TOKENS);
            // Behind the last key the page may hold anything.
            let first = (task.page_range().start + at) * PAGE_TOKENS;
            let n_keys = PAGE_TOKENS.min(task.to - first);
            for key in 0..n_keys {
                let mut v = [_mm512_setzero_ps(); D];
                for d in 0..D {
                    let at: *const __m256i = values.add(key * dim + d * 16).cast();
                    v[d] = _mm512_cvtph_ps(_mm256_loadu_si256(at));
                }
                for g in 0..G {
                    let weight = _mm512_set1_ps(*weights.add(g * stride + key));
                    for d in 0..D {
                        acc[g][d] = _mm512_fmadd_ps(weight, v[d], acc[g][d]);
                    }
                }
            }
        }
        for (g, acc) in acc.iter().enumerate() {
            for (d, acc) in acc.iter().enumerate() {
                let to = &mut out[g * dim + block + d * 16..][..16];
                let scaled = _mm512_mul_ps(*acc, _mm512_set1_ps(inverse[g]));
                _mm512_storeu_ps(to.as_mut_ptr(), scaled);
            }
        }
    }
}
