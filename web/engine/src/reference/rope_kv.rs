//! The twin of `kernels/rope_kv.wgsl`, and of the rotation in `kernels/attention.wgsl`.

use super::{Bindings, Symbols, kv};

/// What rotation reads: `qkv` is `[token][n_heads + 2·n_kv_heads][head_dim]`, `rope` (cos, sin) of
/// `[position][rope_dim / 2]`, `norm_weight` of queries, then of keys.
pub(super) struct Rotation<'a> {
    pub params: &'a [u32],
    pub qkv: &'a [u32],
    pub rope: &'a [u32],
    pub norm_weight: Option<&'a [u32]>,
}

fn float(words: &[u32], at: usize) -> f32 {
    f32::from_bits(words[at])
}

/// Norms and rotates queries and keys, and puts keys and values into the cache.
pub fn rope_kv(symbols: &Symbols<'_>, mut bindings: Bindings<'_>) {
    let params = bindings.next();
    let qkv = bindings.next();
    let rope = bindings.next();
    let q = bindings.next();
    let k_cache = bindings.next();
    let v_cache = bindings.next();
    let norm_weight = (symbols.get("QK_NORM") != 0).then(|| &**bindings.next());
    rotate(symbols, &Rotation { params, qkv, rope, norm_weight }, q, k_cache, v_cache);
}

/// Queries to `q`, `[token][n_heads][head_dim]`, keys and values into the cache.
pub(super) fn rotate(
    symbols: &Symbols<'_>,
    rotation: &Rotation<'_>,
    q: &mut [u32],
    k_cache: &mut [u32],
    v_cache: &mut [u32],
) {
    let &Rotation { params, qkv, rope, norm_weight } = rotation;
    let (head_dim, rope_dim) = (symbols.get("HEAD_DIM"), symbols.get("ROPE_DIM"));
    let (n_heads, n_kv_heads) = (symbols.get("N_HEADS"), symbols.get("N_KV_HEADS"));
    let n_ctx = symbols.get("N_CTX");
    let n_slots = n_heads + 2 * n_kv_heads;
    for token in 0..params[0] as usize {
        let position = params[2] as usize + token;
        if position >= n_ctx {
            continue;
        }
        for slot in 0..n_slots {
            let head_at = (token * n_slots + slot) * head_dim;
            let mut head: Vec<f32> = (0..head_dim).map(|d| float(qkv, head_at + d)).collect();
            if slot >= n_heads + n_kv_heads {
                let kv_head = slot - n_heads - n_kv_heads;
                for (d, &value) in head.iter().enumerate() {
                    let at = (kv_head * n_ctx + position) * head_dim / 4 + d / 4;
                    kv::write(symbols, v_cache, at, d % 4, value);
                }
                continue;
            }
            let is_key = slot >= n_heads;
            if let Some(weight) = &norm_weight {
                let epsilon = f32::from_bits(symbols.get("EPSILON_BITS") as u32);
                let squares: f32 = head.iter().map(|value| value * value).sum();
                let norm = 1.0 / (squares / head_dim as f32 + epsilon).sqrt();
                for (d, value) in head.iter_mut().enumerate() {
                    *value *= norm * float(weight, usize::from(is_key) * head_dim + d);
                }
            }
            for pair in 0..rope_dim / 2 {
                let (first, second) = if symbols.get("NEOX") != 0 {
                    (pair, pair + rope_dim / 2)
                } else {
                    (2 * pair, 2 * pair + 1)
                };
                let at = (position * rope_dim / 2 + pair) * 2;
                let (cos, sin) = (float(rope, at), float(rope, at + 1));
                let (a, b) = (head[first], head[second]);
                head[first] = a * cos - b * sin;
                head[second] = a * sin + b * cos;
            }
            for (d, value) in head.iter().enumerate() {
                if is_key {
                    let plane = (slot - n_heads) * head_dim / 4 + d / 4;
                    kv::write(symbols, k_cache, plane * n_ctx + position, d % 4, *value);
                } else {
                    q[(token * n_heads + slot) * head_dim + d] = value.to_bits();
                }
            }
        }
    }
}
