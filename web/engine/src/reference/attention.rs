//! The twins of `kernels/attention.wgsl` and `kernels/attention_reduce.wgsl`.

use super::bundle::write_block;
use super::rope_kv::{Rotation, rotate};
use super::{Bindings, Symbols, kv};

fn float(words: &[u32], at: usize) -> f32 {
    f32::from_bits(words[at])
}

/// The positions that a token sees.
fn visible(symbols: &Symbols<'_>, position: usize) -> std::ops::Range<usize> {
    let end = (position + 1).min(symbols.get("N_CTX"));
    match symbols.get("WINDOW") {
        0 => 0..end,
        window => (position + 1).saturating_sub(window)..end,
    }
}

/// One head of one token over `positions`: largest score, Σ of weights, unnormalised output.
fn read_cache(
    symbols: &Symbols<'_>,
    query: &[f32],
    kv_head: usize,
    positions: std::ops::Range<usize>,
    k_cache: &[u32],
    v_cache: &[u32],
) -> (f32, f32, Vec<f32>) {
    let (head_dim, n_ctx) = (symbols.get("HEAD_DIM"), symbols.get("N_CTX"));
    let scale = f32::from_bits(symbols.get("SCALE_BITS") as u32);
    let softcap = f32::from_bits(symbols.get("SOFTCAP_BITS") as u32);
    let score = |position: usize| {
        let dot: f32 = (0..head_dim)
            .map(|d| {
                let plane = kv_head * head_dim / 4 + d / 4;
                query[d] * kv::read(symbols, k_cache, plane * n_ctx + position, d % 4)
            })
            .sum();
        let score = dot * scale;
        if softcap == 0.0 { score } else { softcap * (score / softcap).tanh() }
    };
    let scores: Vec<f32> = positions.clone().map(score).collect();
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut out = vec![0.0; head_dim];
    let mut total = 0.0;
    for (position, score) in positions.zip(scores) {
        let weight = (score - largest).exp();
        total += weight;
        for (d, out) in out.iter_mut().enumerate() {
            let at = (kv_head * n_ctx + position) * head_dim / 4 + d / 4;
            *out += weight * kv::read(symbols, v_cache, at, d % 4);
        }
    }
    (largest, total, out)
}

/// Softmax(q·K)·V of each token and head, as a bundle or, with SPLIT, in runs of positions; with
/// ROTATE queries, keys and values are rotated and cached first.
pub fn attention(symbols: &Symbols<'_>, mut bindings: Bindings<'_>) {
    let params = bindings.next();
    let q = bindings.next();
    let k_cache = bindings.next();
    let v_cache = bindings.next();
    let out = bindings.next();
    let tiles = (symbols.get("TILES") != 0).then(|| &**bindings.next());
    let mut rotated = Vec::new();
    let q = if symbols.get("ROTATE") == 0 {
        q
    } else {
        let (qkv, rope) = (q, bindings.next());
        let norm_weight = (symbols.get("QK_NORM") != 0).then(|| &**bindings.next());
        let rotation = Rotation { params, qkv, rope, norm_weight };
        rotated.resize(symbols.get("N_HEADS") * symbols.get("HEAD_DIM"), 0);
        rotate(symbols, &rotation, &mut rotated, k_cache, v_cache);
        &mut rotated
    };
    let (head_dim, n_heads) = (symbols.get("HEAD_DIM"), symbols.get("N_HEADS"));
    let shared_by = n_heads / symbols.get("N_KV_HEADS");
    let (chunk, max_splits) = (symbols.get("CHUNK"), symbols.get("MAX_SPLITS"));
    for token in 0..params[0] as usize {
        let seen = match tiles {
            None => visible(symbols, params[2] as usize + token),
            // Every token sees all of the text that its tile is of.
            Some(tiles) => {
                let tiles = tiles.chunks_exact(4).take(params[1] as usize);
                let mut of_token =
                    tiles.filter(|tile| (tile[0]..tile[1]).contains(&(token as u32)));
                of_token.next().map_or(0..0, |tile| tile[2] as usize..tile[3] as usize)
            }
        };
        for head in 0..n_heads {
            let query: Vec<f32> =
                (0..head_dim).map(|d| float(q, (token * n_heads + head) * head_dim + d)).collect();
            let read = |positions| {
                read_cache(symbols, &query, head / shared_by, positions, k_cache, v_cache)
            };
            if symbols.get("SPLIT") == 0 {
                let (_, total, values) = read(seen.clone());
                let values: Vec<f32> = values.iter().map(|value| value / total).collect();
                for (block, values) in values.chunks_exact(32).enumerate() {
                    let col = head * head_dim + block * 32;
                    write_block(out, symbols, token, col, values, None);
                }
                continue;
            }
            for split in 0..max_splits {
                let run = seen.start.max(split * chunk)..seen.end.min((split + 1) * chunk);
                if run.is_empty() {
                    continue;
                }
                let (largest, total, values) = read(run);
                let at = ((token * n_heads + head) * max_splits + split) * (head_dim + 4);
                let words = [largest, total, 0.0, 0.0].into_iter().chain(values);
                for (i, value) in words.enumerate() {
                    out[at + i] = value.to_bits();
                }
            }
        }
    }
}

/// Joins runs of positions.
pub fn attention_reduce(symbols: &Symbols<'_>, mut bindings: Bindings<'_>) {
    let params = bindings.next();
    let partial = bindings.next();
    let next = bindings.next();
    let (head_dim, n_heads) = (symbols.get("HEAD_DIM"), symbols.get("N_HEADS"));
    let (chunk, max_splits) = (symbols.get("CHUNK"), symbols.get("MAX_SPLITS"));
    for token in 0..params[0] as usize {
        let seen = visible(symbols, params[2] as usize + token);
        for head in 0..n_heads {
            let splits = seen.start / chunk..seen.end.div_ceil(chunk);
            let at =
                |split: usize| ((token * n_heads + head) * max_splits + split) * (head_dim + 4);
            let largest = splits
                .clone()
                .map(|split| float(partial, at(split)))
                .fold(f32::NEG_INFINITY, f32::max);
            let mut total = 0.0;
            let mut values = vec![0.0; head_dim];
            for split in splits {
                let weight = (float(partial, at(split)) - largest).exp();
                total += weight * float(partial, at(split) + 1);
                for (d, value) in values.iter_mut().enumerate() {
                    *value += weight * float(partial, at(split) + 4 + d);
                }
            }
            let values: Vec<f32> = values.iter().map(|value| value / total).collect();
            for (block, values) in values.chunks_exact(32).enumerate() {
                let col = head * head_dim + block * 32;
                write_block(next, symbols, token, col, values, None);
            }
        }
    }
}
