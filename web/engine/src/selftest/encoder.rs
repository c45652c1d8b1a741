//! Which trials hold an encoder's kernels to their twins?

use super::layers::{Draft, bundle_symbols};
use super::trial::{Trial, Written};
use crate::linear::{ActKind, ActLayout};

/// A norm of three rows, of the embeddings' sum or of what stands.
fn layer_norm_trial(cols: u32, kind: ActKind, embeds: bool, seed: u32) -> Trial {
    let mut draft = Draft::new(seed);
    let n_tokens = 3;
    let layout = ActLayout { kind, cols, max_tokens: n_tokens + 1 };
    let params = draft.add("params", vec![n_tokens, 1, 0, 1]);
    let x = draft.floats("x", n_tokens * cols);
    let weight = draft.floats("weight", cols);
    let bias = draft.floats("bias", cols);
    let next = draft.zeros("next", layout.size_bytes() / 4);
    let mut buffers = vec![params, x, weight, bias, next];
    if embeds {
        buffers.push(draft.add("positions", vec![0, 1, 0]));
        buffers.push(draft.floats("position_embd", 2 * cols));
        buffers.push(draft.floats("type_embd", 2 * cols));
    }
    let mut defines =
        vec![("COLS", cols), ("EPSILON_BITS", 1e-12_f32.to_bits()), ("EMBED", u32::from(embeds))];
    defines.extend(bundle_symbols(layout));
    draft.dispatch("layer_norm", defines, &buffers, [n_tokens + 1, 1, 1]);
    let written = vec![(x, Written::F32), (next, Written::Bundle(layout))];
    draft.trial(format!("layer_norm {cols} {kind:?} embeds {embeds}"), written, 3e-5)
}

/// Vectors of three texts.
fn pool_trial(cols: u32, cls: bool, seed: u32) -> Trial {
    let mut draft = Draft::new(seed);
    let params = draft.add("params", vec![10, 3, 0, 3]);
    let texts = draft.add("texts", vec![0, 1, 1, 3, 3, 10, 0, 0]);
    let x = draft.floats("x", 10 * cols);
    let vectors = draft.zeros("vectors", u64::from(4 * cols));
    let defines = vec![("COLS", cols), ("CLS", u32::from(cls))];
    draft.dispatch("pool", defines, &[params, texts, x, vectors], [4, 1, 1]);
    draft.trial(format!("pool {cols} cls {cls}"), vec![(vectors, Written::F32)], 1e-5)
}

/// Attention within texts of these lengths, keys and values cached as an encoder has them.
fn text_attention_trial(
    (head_dim, n_heads, tokens): (u32, u32, u32),
    lens: &[u32],
    kind: ActKind,
    subgroup_lanes: Option<u32>,
    seed: u32,
) -> Trial {
    let mut draft = Draft::new(seed);
    let n_tokens: u32 = lens.iter().sum();
    let max_tokens = n_tokens + 3;
    let (d4, cols) = (head_dim / 4, n_heads * head_dim);
    let layout = ActLayout { kind, cols, max_tokens };
    let mut tiles = Vec::new();
    let mut first = 0;
    for len in lens {
        for from in (first..first + len).step_by(tokens as usize) {
            tiles.extend([from, (from + tokens).min(first + len), first, first + len]);
        }
        first += len;
    }
    let n_tiles = tiles.len() as u32 / 4;
    let params = draft.add("params", vec![n_tokens, n_tiles, 0, lens.len() as u32]);
    let qkv = draft.floats("qkv", n_tokens * 3 * cols);
    let unread = draft.zeros("rope", 4);
    let width = u64::from(max_tokens * cols);
    let [q, k, v] = ["q", "k", "v"].map(|label| draft.zeros(label, width));
    let next = draft.zeros("next", layout.size_bytes() / 4);
    let tiles = draft.add("tiles", tiles);
    let shapes = vec![
        ("HEAD_DIM", head_dim),
        ("N_HEADS", n_heads),
        ("N_KV_HEADS", n_heads),
        ("N_CTX", max_tokens),
        ("KV_HALF", 0),
        ("ROPE_DIM", 0),
        ("NEOX", 0),
        ("QK_NORM", 0),
    ];
    let mut defines = shapes.clone();
    defines.extend([
        ("HEADS", 1),
        ("TOKENS", tokens),
        ("WINDOW", 0),
        ("SCALE_BITS", (4.0 / (head_dim as f32).sqrt()).to_bits()),
        ("SOFTCAP_BITS", 0),
        ("LANES", subgroup_lanes.unwrap_or(d4 * (64 / d4).max(1))),
        ("SUBGROUP", u32::from(subgroup_lanes.is_some())),
        ("SPLIT", 0),
        ("TILES", 1),
        ("ROTATE", 0),
    ]);
    defines.extend(bundle_symbols(layout));
    let buffers = [params, qkv, unread, q, k, v];
    draft.dispatch("rope_kv", shapes, &buffers, [3 * n_heads, max_tokens, 1]);
    draft.dispatch("attention", defines, &[params, q, k, v, next, tiles], [max_tokens, n_heads, 1]);
    let written = vec![(next, Written::Bundle(layout)), (k, Written::F32), (v, Written::F32)];
    let title =
        format!("attention in texts {lens:?} {n_heads}×{head_dim} {kind:?} {subgroup_lanes:?}");
    draft.trial(title, written, 3e-5)
}

/// All of them; `subgroup_lanes` where the device has such subgroups.
pub fn encoder_trials(subgroup_lanes: Option<u32>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for kind in [ActKind::F32, ActKind::Q8] {
        trials.push(layer_norm_trial(384, kind, true, 31));
        trials.push(layer_norm_trial(1056, kind, false, 32));
    }
    trials.push(pool_trial(384, false, 33));
    trials.push(pool_trial(96, true, 34));
    let mut lanes = vec![None];
    // Only made for such.
    lanes.extend(subgroup_lanes.filter(|lanes| matches!(lanes, 4 | 8)).map(Some));
    for lanes in lanes {
        for kind in [ActKind::F32, ActKind::Q8] {
            trials.push(text_attention_trial((32, 3, 4), &[1, 9, 3, 70], kind, lanes, 35));
            trials.push(text_attention_trial((64, 2, 16), &[33, 2], kind, lanes, 36));
        }
    }
    trials
}
