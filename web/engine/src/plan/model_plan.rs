//! Which buffers does a model need, and what lies in them?

use crate::EngineError;
use crate::caps::Variants;
use crate::linear::{ActLayout, LinearChoice, LinearWeight, Stacking};
use crate::model::{Config, LayerTensors, ModelTensors, VectorDesc};
use crate::record::{BufferId, BufferKind, Recording};

use super::attention::AttentionPlan;
use super::sample::SAMPLING_WORDS;

/// Words of the params buffer: tokens of the submit, index of the last of them, position of the
/// first.
const PARAMS_BYTES: u64 = 32;

/// Most tokens of a prefill's submit.
const MAX_CHUNK: u32 = 256;

/// Float32 vectors that lie one after the other in a buffer.
#[derive(Clone, Debug)]
pub(crate) struct Vectors {
    pub buffer: BufferId,
    pub parts: Vec<VectorDesc>,
}

/// A layer's buffers.
#[derive(Clone, Debug)]
pub(crate) struct LayerPlan {
    pub attn_norm: Vectors,
    pub qkv: LinearWeight,
    pub qkv_bias: Option<Vectors>,
    pub qk_norm: Option<Vectors>,
    pub attn_output: LinearWeight,
    pub post_attn_norm: Option<Vectors>,
    pub ffn_norm: Vectors,
    pub gate_up: LinearWeight,
    pub down: LinearWeight,
    pub post_ffn_norm: Option<Vectors>,
    pub k_cache: BufferId,
    pub v_cache: BufferId,
}

/// A model's buffers.
#[derive(Clone, Debug)]
pub(crate) struct ModelPlan {
    pub config: Config,
    pub choice: LinearChoice,
    pub attention: AttentionPlan,
    /// All buffers; its dispatches stay empty.
    pub recording: Recording,
    /// Tokens that the cache holds.
    pub n_ctx: u32,
    /// Its values have 16 bits.
    pub kv_half: bool,
    /// Tokens that the activations hold.
    pub max_tokens: u32,
    pub embedding: LinearWeight,
    /// None: the embedding is the head.
    pub output: Option<LinearWeight>,
    pub output_norm: Vectors,
    pub layers: Vec<LayerPlan>,
    pub rope_freqs: Option<VectorDesc>,
    /// `[n_ctx][rope_dim / 2]` of (cos, sin), for layers with the whole context and with a window.
    pub rope: BufferId,
    pub rope_local: BufferId,
    pub params: BufferId,
    pub token_ids: BufferId,
    pub x: BufferId,
    /// Of the residual stream, of the attention's output, of the gated product.
    pub embd_bundle: (BufferId, ActLayout),
    pub attn_bundle: (BufferId, ActLayout),
    pub ff_bundle: (BufferId, ActLayout),
    pub qkv: BufferId,
    pub q: BufferId,
    /// A product before its norm (gemma3).
    pub branch: Option<BufferId>,
    pub attn_partial: Option<BufferId>,
    pub logits: BufferId,
    pub group_keys: BufferId,
    pub sampling: BufferId,
    pub sampled: BufferId,
}

pub(super) fn vectors(
    recording: &mut Recording,
    label: String,
    parts: impl IntoIterator<Item = VectorDesc>,
) -> Vectors {
    let parts: Vec<VectorDesc> = parts.into_iter().collect();
    let len: u32 = parts.iter().map(|part| part.len).sum();
    let buffer = recording.buffer(label, BufferKind::Weight, u64::from(len) * 4);
    Vectors { buffer, parts }
}

impl ModelPlan {
    /// Plans a model for a device. Nothing is allocated.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] and [`EngineError::InvalidModel`] as [`LinearWeight::plan`], and
    /// where the cache of a layer exceeds a binding.
    pub fn new(
        config: Config,
        tensors: ModelTensors,
        variants: &Variants,
        n_ctx: u32,
    ) -> Result<Self, EngineError> {
        let n_ctx = n_ctx.clamp(1, config.n_ctx_train);
        let max_tokens = MAX_CHUNK.min(n_ctx.next_multiple_of(16));
        let choice = LinearChoice::new(variants);
        let attention = AttentionPlan::new(&config, variants, n_ctx);
        let limit = variants.max_binding_bytes;
        let value_bytes = if variants.kv_half { 2 } else { 4 };
        let cache_bytes = u64::from(n_ctx) * u64::from(config.kv_dim()) * value_bytes;
        if cache_bytes > limit {
            return Err(EngineError::unsupported(format!(
                "a context of {n_ctx} tokens: a layer's keys take {cache_bytes} bytes, the device \
                 binds {limit}"
            )));
        }
        let mut rec = Recording::default();
        let embedding = LinearWeight::plan(
            &mut rec,
            "embedding",
            vec![tensors.embedding],
            Stacking::Rows,
            limit,
        )?;
        let output = tensors
            .output
            .map(|output| {
                LinearWeight::plan(&mut rec, "output", vec![output], Stacking::Rows, limit)
            })
            .transpose()?;
        let layers = tensors
            .layers
            .into_iter()
            .enumerate()
            .map(|(index, layer)| layer_plan(&mut rec, index, layer, limit, cache_bytes))
            .collect::<Result<Vec<_>, _>>()?;
        let output_norm = vectors(&mut rec, "output_norm".to_owned(), [tensors.output_norm]);

        let rope_bytes = u64::from(n_ctx) * u64::from(config.rope_dim) * 4;
        let rope = rec.buffer("rope", BufferKind::Weight, rope_bytes);
        let rope_local = if config.rope_local == config.rope {
            rope
        } else {
            rec.buffer("rope.local", BufferKind::Weight, rope_bytes)
        };
        let tokens = u64::from(max_tokens);
        let mut floats = |label: &'static str, n: u32| {
            rec.buffer(label, BufferKind::Activation, tokens * u64::from(n) * 4)
        };
        let x = floats("x", config.n_embd);
        let qkv = floats("qkv", config.q_dim() + 2 * config.kv_dim());
        let q = floats("q", config.q_dim());
        let branch = config.arch.has_post_norms().then(|| floats("branch", config.n_embd));
        let mut bundle = |label: &'static str, cols: u32| {
            let layout = ActLayout { kind: choice.act, cols, max_tokens };
            (rec.buffer(label, BufferKind::Activation, layout.size_bytes()), layout)
        };
        let embd_bundle = bundle("bundle.embd", config.n_embd);
        let attn_bundle = bundle("bundle.attn", config.q_dim());
        let ff_bundle = bundle("bundle.ff", config.n_ff);
        let partial_bytes = attention.partial_bytes(&config);
        let attn_partial = (partial_bytes > 0)
            .then(|| rec.buffer("attn.partial", BufferKind::Activation, partial_bytes));
        let params = rec.buffer("params", BufferKind::Params, PARAMS_BYTES);
        let token_ids = rec.buffer("token_ids", BufferKind::Params, tokens * 4);
        let sampling = rec.buffer("sampling", BufferKind::Params, SAMPLING_WORDS as u64 * 4);
        let logits = rec.buffer("logits", BufferKind::Output, u64::from(config.n_vocab) * 4);
        let group_keys =
            rec.buffer("group_keys", BufferKind::Activation, u64::from(super::sample::GROUPS) * 4);
        let sampled = rec.buffer("sampled", BufferKind::Output, 8);
        Ok(Self {
            config,
            choice,
            attention,
            recording: rec,
            n_ctx,
            kv_half: variants.kv_half,
            max_tokens,
            embedding,
            output,
            output_norm,
            layers,
            rope_freqs: tensors.rope_freqs,
            rope,
            rope_local,
            params,
            token_ids,
            x,
            embd_bundle,
            attn_bundle,
            ff_bundle,
            qkv,
            q,
            branch,
            attn_partial,
            logits,
            group_keys,
            sampling,
            sampled,
        })
    }

    /// The language model's head.
    pub fn head(&self) -> &LinearWeight {
        self.output.as_ref().unwrap_or(&self.embedding)
    }

    /// Every matrix of the file belongs to one of these.
    pub fn weights(&self) -> impl Iterator<Item = &LinearWeight> {
        let layers = self
            .layers
            .iter()
            .flat_map(|layer| [&layer.qkv, &layer.attn_output, &layer.gate_up, &layer.down]);
        [&self.embedding].into_iter().chain(&self.output).chain(layers)
    }

    /// Every vector of the file belongs to one of these.
    pub fn vectors(&self) -> impl Iterator<Item = &Vectors> {
        let layers = self.layers.iter().flat_map(|layer| {
            [&layer.attn_norm, &layer.ffn_norm]
                .into_iter()
                .chain(&layer.qkv_bias)
                .chain(&layer.qk_norm)
                .chain(&layer.post_attn_norm)
                .chain(&layer.post_ffn_norm)
        });
        [&self.output_norm].into_iter().chain(layers)
    }

    /// Of all buffers.
    pub fn size_bytes(&self) -> u64 {
        self.recording.buffers.iter().map(|buffer| buffer.size_bytes).sum()
    }
}

fn layer_plan(
    rec: &mut Recording,
    index: usize,
    layer: LayerTensors,
    limit: u64,
    cache_bytes: u64,
) -> Result<LayerPlan, EngineError> {
    let label = |part: &str| format!("layer{index}.{part}");
    Ok(LayerPlan {
        attn_norm: vectors(rec, label("attn_norm"), [layer.attn_norm]),
        qkv: LinearWeight::plan(rec, &label("qkv"), layer.qkv, Stacking::Rows, limit)?,
        qkv_bias: layer.qkv_bias.map(|parts| vectors(rec, label("qkv_bias"), parts)),
        qk_norm: layer.qk_norm.map(|parts| vectors(rec, label("qk_norm"), parts)),
        attn_output: LinearWeight::plan(
            rec,
            &label("attn_output"),
            vec![layer.attn_output],
            Stacking::Rows,
            limit,
        )?,
        post_attn_norm: layer
            .post_attn_norm
            .map(|part| vectors(rec, label("post_attn_norm"), [part])),
        ffn_norm: vectors(rec, label("ffn_norm"), [layer.ffn_norm]),
        gate_up: LinearWeight::plan(
            rec,
            &label("gate_up"),
            vec![layer.gate, layer.up],
            Stacking::Gated,
            limit,
        )?,
        down: LinearWeight::plan(rec, &label("down"), vec![layer.down], Stacking::Rows, limit)?,
        post_ffn_norm: layer.post_ffn_norm.map(|part| vectors(rec, label("post_ffn_norm"), [part])),
        k_cache: rec.buffer(label("k_cache"), BufferKind::KvCache, cache_bytes),
        v_cache: rec.buffer(label("v_cache"), BufferKind::KvCache, cache_bytes),
    })
}
