//! Which trials hold rotation, attention and the norm behind a branch to their twins?

use super::random::Random;
use super::trial::{Trial, Written};
use crate::linear::{ActKind, ActLayout};
use crate::record::{BufferId, BufferKind, Dispatch, KernelKey, Recording};

/// A recording with its buffers' words.
pub(super) struct Draft {
    recording: Recording,
    words: Vec<Vec<u32>>,
    random: Random,
}

impl Draft {
    pub(super) fn new(seed: u32) -> Self {
        Self { recording: Recording::default(), words: Vec::new(), random: Random::new(seed) }
    }

    pub(super) fn add(&mut self, label: &'static str, words: Vec<u32>) -> BufferId {
        let size_bytes = words.len() as u64 * 4;
        self.words.push(words);
        self.recording.buffer(label, BufferKind::Activation, size_bytes)
    }

    pub(super) fn floats(&mut self, label: &'static str, n: u32) -> BufferId {
        let words = (0..n).map(|_| self.random.float().to_bits()).collect();
        self.add(label, words)
    }

    /// A cache of `n` values, as `shared/kv.wgsl` has them.
    fn cache(&mut self, label: &'static str, n: u32, is_half: bool) -> BufferId {
        if !is_half {
            return self.floats(label, n);
        }
        let mut half = || u32::from(half::f16::from_f32(self.random.float()).to_bits());
        let words = (0..n / 2).map(|_| half() | half() << 16).collect();
        self.add(label, words)
    }

    pub(super) fn zeros(&mut self, label: &'static str, n: u64) -> BufferId {
        self.add(label, vec![0; n as usize])
    }

    pub(super) fn dispatch(
        &mut self,
        name: &'static str,
        defines: Vec<(&'static str, u32)>,
        buffers: &[BufferId],
        workgroups: [u32; 3],
    ) {
        self.recording.dispatch(Dispatch {
            kernel: KernelKey { name, defines },
            bindings: buffers.iter().map(|&buffer| buffer.into()).collect(),
            workgroups,
            label: name.into(),
        });
    }

    pub(super) fn trial(
        self,
        title: String,
        written: Vec<(BufferId, Written)>,
        tolerance: f32,
    ) -> Trial {
        let Self { recording, words, .. } = self;
        Trial { title, recording, words, written, tolerance }
    }
}

fn act_code(kind: ActKind) -> u32 {
    match kind {
        ActKind::F32 => 32,
        ActKind::Q8 => 8,
    }
}

pub(super) fn bundle_symbols(layout: ActLayout) -> [(&'static str, u32); 3] {
    [
        ("NEXT", act_code(layout.kind)),
        ("NEXT_COLS", layout.cols),
        ("NEXT_BLOCKS_AT", layout.blocks_at()),
    ]
}

fn written_cache(is_half: bool) -> Written {
    if is_half { Written::Half } else { Written::F32 }
}

/// What rotation is tried with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RopeCase {
    pub head_dim: u32,
    pub rope_dim: u32,
    pub n_heads: u32,
    pub n_kv_heads: u32,
    pub is_neox: bool,
    pub has_norm: bool,
    pub kv_half: bool,
    pub n_tokens: u32,
    pub position: u32,
    pub seed: u32,
}

impl RopeCase {
    pub fn trial(self) -> Trial {
        let mut draft = Draft::new(self.seed);
        let n_ctx = self.position + self.n_tokens + 3;
        let kv_floats = n_ctx * self.n_kv_heads * self.head_dim;
        let params = draft.add("params", vec![self.n_tokens, self.n_tokens - 1, self.position, 0]);
        let slots = self.n_heads + 2 * self.n_kv_heads;
        let qkv = draft.floats("qkv", self.n_tokens * slots * self.head_dim);
        let rope = draft.floats("rope", n_ctx * self.rope_dim);
        let q = draft.zeros("q", u64::from(self.n_tokens * self.n_heads * self.head_dim));
        let k_cache = draft.cache("k", kv_floats, self.kv_half);
        let v_cache = draft.cache("v", kv_floats, self.kv_half);
        let mut buffers = vec![params, qkv, rope, q, k_cache, v_cache];
        if self.has_norm {
            buffers.push(draft.floats("norm", 2 * self.head_dim));
        }
        let mut defines = vec![
            ("HEAD_DIM", self.head_dim),
            ("N_HEADS", self.n_heads),
            ("N_KV_HEADS", self.n_kv_heads),
            ("N_CTX", n_ctx),
            ("KV_HALF", u32::from(self.kv_half)),
        ];
        let Self { rope_dim, is_neox, has_norm, .. } = self;
        defines.extend(RotationCase { rope_dim, is_neox, has_norm }.symbols());
        // More workgroups than tokens, as in a chunk that is not full.
        draft.dispatch("rope_kv", defines, &buffers, [slots, self.n_tokens + 2, 1]);
        let written = vec![
            (q, Written::F32),
            (k_cache, written_cache(self.kv_half)),
            (v_cache, written_cache(self.kv_half)),
        ];
        draft.trial(format!("{self:?}"), written, 1e-5)
    }
}

/// What attention is tried with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionCase {
    pub head_dim: u32,
    pub n_kv_heads: u32,
    /// Query heads of a key-value head, and of a workgroup.
    pub shared_by: u32,
    pub heads: u32,
    /// Tokens, and tokens of a workgroup.
    pub n_tokens: u32,
    pub tokens: u32,
    pub position: u32,
    /// 0: all.
    pub window: u32,
    /// 0: none.
    pub softcap: f32,
    /// Lanes of a subgroup; None: as many as a workgroup needs.
    pub subgroup_lanes: Option<u32>,
    /// Positions of a run; None: not split.
    pub chunk: Option<u32>,
    /// The dispatch rotates and caches itself.
    pub rotation: Option<RotationCase>,
    pub kv_half: bool,
    pub act: ActKind,
    pub seed: u32,
}

/// How an attention's own rotation is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationCase {
    pub rope_dim: u32,
    pub is_neox: bool,
    pub has_norm: bool,
}

impl RotationCase {
    fn symbols(self) -> [(&'static str, u32); 4] {
        [
            ("ROPE_DIM", self.rope_dim),
            ("NEOX", u32::from(self.is_neox)),
            ("QK_NORM", u32::from(self.has_norm)),
            ("EPSILON_BITS", 1e-6_f32.to_bits()),
        ]
    }
}

impl AttentionCase {
    pub fn trial(self) -> Trial {
        let mut draft = Draft::new(self.seed);
        let n_heads = self.n_kv_heads * self.shared_by;
        let (d4, cols) = (self.head_dim / 4, n_heads * self.head_dim);
        let n_ctx = self.position + self.n_tokens + 5;
        let max_tokens = self.n_tokens + 1;
        let chunk = self.chunk.unwrap_or(n_ctx);
        let max_splits = n_ctx.div_ceil(chunk);
        let layout = ActLayout { kind: self.act, cols, max_tokens };
        let params = draft.add("params", vec![self.n_tokens, self.n_tokens - 1, self.position, 0]);
        let kv_cols = self.n_kv_heads * self.head_dim;
        let q_cols = if self.rotation.is_some() { cols + 2 * kv_cols } else { cols };
        let q = draft.floats("q", self.n_tokens * q_cols);
        let k_cache = draft.cache("k", n_ctx * self.n_kv_heads * self.head_dim, self.kv_half);
        let v_cache = draft.cache("v", n_ctx * self.n_kv_heads * self.head_dim, self.kv_half);
        let bundle = draft.zeros("bundle", layout.size_bytes() / 4);
        let mut shapes = vec![
            ("HEAD_DIM", self.head_dim),
            ("N_HEADS", n_heads),
            ("N_CTX", n_ctx),
            ("WINDOW", self.window),
            ("CHUNK", chunk),
            ("MAX_SPLITS", max_splits),
        ];
        shapes.extend(bundle_symbols(layout));
        let mut defines = shapes.clone();
        // Scores spread over a few units, as real ones are.
        let scale = 4.0 / (self.head_dim as f32).sqrt();
        defines.extend([
            ("N_KV_HEADS", self.n_kv_heads),
            ("HEADS", self.heads),
            ("TOKENS", self.tokens),
            ("SCALE_BITS", scale.to_bits()),
            ("SOFTCAP_BITS", self.softcap.to_bits()),
            ("LANES", self.subgroup_lanes.unwrap_or(d4 * (64 / d4).max(1))),
            ("SUBGROUP", u32::from(self.subgroup_lanes.is_some())),
            ("SPLIT", u32::from(self.chunk.is_some())),
            ("TILES", 0),
        ]);
        defines.extend([
            ("ROTATE", u32::from(self.rotation.is_some())),
            ("KV_HALF", u32::from(self.kv_half)),
        ]);
        let mut rotation_buffers = Vec::new();
        if let Some(rotation) = self.rotation {
            defines.extend(rotation.symbols());
            rotation_buffers.push(draft.floats("rope", n_ctx * rotation.rope_dim));
            if rotation.has_norm {
                rotation_buffers.push(draft.floats("norm", 2 * self.head_dim));
            }
        }
        let tiles = max_tokens.div_ceil(self.tokens);
        let groups =
            [tiles, n_heads / self.heads, if self.chunk.is_some() { max_splits } else { 1 }];
        if self.chunk.is_some() {
            let floats = self.n_tokens * n_heads * max_splits * (self.head_dim + 4);
            let partial = draft.zeros("partial", u64::from(floats));
            let mut buffers = vec![params, q, k_cache, v_cache, partial];
            buffers.extend(rotation_buffers);
            draft.dispatch("attention", defines, &buffers, groups);
            let groups = [n_heads, max_tokens, 1];
            draft.dispatch("attention_reduce", shapes, &[params, partial, bundle], groups);
        } else {
            let mut buffers = vec![params, q, k_cache, v_cache, bundle];
            buffers.extend(rotation_buffers);
            draft.dispatch("attention", defines, &buffers, groups);
        }
        let mut written = vec![(bundle, Written::Bundle(layout))];
        written.extend([k_cache, v_cache].map(|id| (id, written_cache(self.kv_half))));
        // A key that the device itself rounded may be a step beside its twin's.
        let tolerance = if self.kv_half && self.rotation.is_some() { 1e-3 } else { 3e-5 };
        draft.trial(format!("{self:?}"), written, tolerance)
    }
}

/// A branch of `cols` values added to the residual stream behind its norm, for three tokens.
pub fn residual_norm_trial(cols: u32, kind: ActKind, has_next_norm: bool, seed: u32) -> Trial {
    let mut draft = Draft::new(seed);
    let n_tokens = 3;
    let layout = ActLayout { kind, cols, max_tokens: n_tokens + 1 };
    let params = draft.add("params", vec![n_tokens, n_tokens - 1, 0, 0]);
    let y = draft.floats("y", n_tokens * cols);
    let weight = draft.floats("weight", cols);
    let x = draft.floats("x", n_tokens * cols);
    let next = draft.zeros("next", layout.size_bytes() / 4);
    let mut buffers = vec![params, y, weight, x, next];
    if has_next_norm {
        buffers.push(draft.floats("norm", cols));
    }
    let mut defines = vec![
        ("COLS", cols),
        ("EPSILON_BITS", 1e-6_f32.to_bits()),
        ("NEXT_NORM", u32::from(has_next_norm)),
    ];
    defines.extend(bundle_symbols(layout));
    draft.dispatch("residual_norm", defines, &buffers, [n_tokens + 1, 1, 1]);
    let written = vec![(x, Written::F32), (next, Written::Bundle(layout))];
    draft.trial(format!("residual_norm {cols} {kind:?} next norm {has_next_norm}"), written, 3e-5)
}

/// A choice among random logits; `top_k` 1 is greedy.
pub fn sample_trial(n_vocab: u32, top_k: u32, top_p: f32, min_p: f32, seed: u32) -> Trial {
    let mut draft = Draft::new(seed);
    let groups = 512;
    let logits: Vec<u32> = (0..n_vocab)
        // Coarse steps, so that equal logits occur; a few that are no candidates.
        .map(|id| match id % 97 {
            13 => f32::NAN,
            14 => f32::NEG_INFINITY,
            _ => (draft.random.float() * 200.0).round() / 16.0,
        })
        .map(f32::to_bits)
        .collect();
    let logits = draft.add("logits", logits);
    let keys = draft.zeros("keys", groups);
    let temperature = 0.5 + (seed % 7) as f32 / 4.0;
    let sampling = draft.add(
        "sampling",
        vec![
            top_k,
            temperature.to_bits(),
            top_p.to_bits(),
            min_p.to_bits(),
            seed.wrapping_mul(0x9e37_79b9),
            seed,
            0,
            0,
        ],
    );
    let params = draft.add("params", vec![1, 0, seed % 100, 0]);
    let token_ids = draft.zeros("token_ids", 4);
    let sampled = draft.zeros("sampled", 2);
    let shapes = vec![("N_VOCAB", n_vocab), ("GROUPS", 512), ("LANES", 64)];
    let mut defines = shapes.clone();
    defines.extend([("CAPACITY", 512), ("SOFTCAP_BITS", 0)]);
    draft.dispatch("sample_groups", shapes, &[logits, keys], [512 / 64, 1, 1]);
    let buffers = [logits, keys, sampling, params, token_ids, sampled];
    draft.dispatch("sample_choose", defines, &buffers, [1, 1, 1]);
    let written = [keys, params, token_ids, sampled].map(|id| (id, Written::Words)).to_vec();
    draft.trial(
        format!("sample {n_vocab} k {top_k} p {top_p} min {min_p} seed {seed}"),
        written,
        0.0,
    )
}

const PLAIN: AttentionCase = AttentionCase {
    head_dim: 64,
    n_kv_heads: 2,
    shared_by: 3,
    heads: 3,
    n_tokens: 1,
    tokens: 1,
    position: 70,
    window: 0,
    softcap: 0.0,
    subgroup_lanes: None,
    chunk: None,
    rotation: None,
    kv_half: false,
    act: ActKind::F32,
    seed: 1,
};

/// A list over all branches of the kernels; `subgroup_lanes` where the device has such subgroups.
pub fn layer_trials(subgroup_lanes: Option<u32>) -> Vec<Trial> {
    let mut trials = Vec::new();
    let rope = RopeCase {
        head_dim: 64,
        rope_dim: 64,
        n_heads: 3,
        n_kv_heads: 1,
        is_neox: false,
        has_norm: false,
        kv_half: false,
        n_tokens: 3,
        position: 5,
        seed: 11,
    };
    for case in [
        rope,
        RopeCase { is_neox: true, ..rope },
        RopeCase { is_neox: true, has_norm: true, head_dim: 256, rope_dim: 256, ..rope },
        RopeCase { has_norm: true, rope_dim: 32, n_tokens: 1, position: 0, ..rope },
        RopeCase { is_neox: true, rope_dim: 32, ..rope },
        RopeCase { kv_half: true, ..rope },
    ] {
        trials.push(case.trial());
    }
    let many = AttentionCase { n_tokens: 9, tokens: 4, position: 13, ..PLAIN };
    let rotating = |rope_dim, is_neox, has_norm| {
        let rotation = Some(RotationCase { rope_dim, is_neox, has_norm });
        AttentionCase { rotation, ..PLAIN }
    };
    let mut cases = vec![
        rotating(64, false, false),
        AttentionCase { position: 0, act: ActKind::Q8, ..rotating(64, true, false) },
        AttentionCase { chunk: Some(16), ..rotating(32, true, true) },
        AttentionCase { chunk: Some(32), window: 40, ..rotating(32, false, true) },
        AttentionCase {
            head_dim: 256,
            shared_by: 4,
            heads: 4,
            n_kv_heads: 1,
            ..rotating(256, true, true)
        },
        AttentionCase { kv_half: true, ..rotating(64, false, false) },
        AttentionCase { kv_half: true, chunk: Some(16), ..rotating(32, true, true) },
        AttentionCase { kv_half: true, act: ActKind::Q8, ..PLAIN },
        AttentionCase { kv_half: true, ..many },
        PLAIN,
        AttentionCase { position: 0, ..PLAIN },
        AttentionCase { act: ActKind::Q8, window: 20, ..PLAIN },
        AttentionCase { head_dim: 128, heads: 1, softcap: 20.0, ..PLAIN },
        AttentionCase { head_dim: 256, shared_by: 4, heads: 4, n_kv_heads: 1, ..PLAIN },
        AttentionCase { head_dim: 96, position: 200, ..PLAIN },
        AttentionCase { chunk: Some(16), ..PLAIN },
        AttentionCase { chunk: Some(32), window: 40, act: ActKind::Q8, ..PLAIN },
        many,
        AttentionCase { act: ActKind::Q8, window: 7, ..many },
        AttentionCase { position: 0, window: 64, softcap: 30.0, ..many },
        AttentionCase { head_dim: 256, shared_by: 4, heads: 4, tokens: 2, n_kv_heads: 1, ..many },
    ];
    // Only made for such.
    if subgroup_lanes.is_some_and(|lanes| matches!(lanes, 4 | 8)) {
        let plain = cases.clone();
        cases.extend(plain.into_iter().map(|case| AttentionCase { subgroup_lanes, ..case }));
    }
    trials.extend(cases.into_iter().map(AttentionCase::trial));
    for kind in [ActKind::F32, ActKind::Q8] {
        trials.push(residual_norm_trial(640, kind, true, 21));
        trials.push(residual_norm_trial(96, kind, false, 22));
    }
    for seed in 0..12 {
        trials.push(sample_trial(5000, 40, 1.0, 0.0, seed));
        trials.push(sample_trial(3001, 64, 0.9, 0.02, seed));
    }
    trials.push(sample_trial(49_152, 1, 1.0, 0.0, 5));
    trials.push(sample_trial(700, 64, 0.3, 0.0, 6));
    trials.push(sample_trial(13, 8, 1.0, 0.2, 7));
    trials
}
