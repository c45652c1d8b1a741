//! Attention in plain Rust, compiled for each family of instructions.

use super::AttentionTask;
use crate::half_floats::from_half_bits;
use crate::isa::Isa;
use crate::kv::PAGE_TOKENS;
use crate::vector::{exp, for_each_isa};

for_each_isa! {
    pub(super) fn attend(task: &AttentionTask<'_>, scores: &mut Vec<f32>, out: &mut [f32]) {
        let dim = task.head_dim;
        let first_page = task.from / PAGE_TOKENS;
        let last_page = task.to.div_ceil(PAGE_TOKENS);
        let n = (last_page - first_page) * PAGE_TOKENS;
        let base = first_page * PAGE_TOKENS;
        scores.resize(n, 0.0);
        for (query, out) in task.queries.chunks_exact(dim).zip(out.chunks_exact_mut(dim)) {
            for (page, scores) in (first_page..last_page).zip(scores.chunks_exact_mut(PAGE_TOKENS)) {
                let keys = task.pages[page].keys(task.layer, task.kv_head);
                let mut lanes = [0f32; PAGE_TOKENS];
                for (keys, &q) in keys.chunks_exact(PAGE_TOKENS).zip(query) {
                    for (lane, &key) in lanes.iter_mut().zip(keys) {
                        *lane += q * from_half_bits(key);
                    }
                }
                scores.copy_from_slice(&lanes);
            }
            let seen = &mut scores[task.from - base..task.to - base];
            if let Some(cap) = task.softcap {
                for score in seen.iter_mut() {
                    *score = cap * (*score / cap).tanh();
                }
            }
            let largest = seen.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            let mut sum = 0.0;
            for score in seen.iter_mut() {
                *score = exp(*score - largest);
                sum += *score;
            }
            out.fill(0.0);
            for key in task.from..task.to {
                let page = task.pages[key / PAGE_TOKENS];
                let values = &page.values(task.layer, task.kv_head)[key % PAGE_TOKENS * dim..][..dim];
                let weight = scores[key - base];
                for (out, &value) in out.iter_mut().zip(values) {
                    *out += weight * from_half_bits(value);
                }
            }
            let inverse = 1.0 / sum;
            for out in out.iter_mut() {
                *out *= inverse;
            }
        }
    }
}
