//! Which buffers and dispatches make vectors of texts?
//!
//! Texts lie one behind the other, without padding; what a text's tokens become depends on nothing but
//! the text. One layer is
//!
//! | | |
//! |---|---|
//! | 1 | QKV product with bias |
//! | 2 | keys and values to where attention reads them |
//! | 3 | attention within each text, in tiles that each belong to one text |
//! | 4 | output product, bias and residual |
//! | 5 | norm, next bundle |
//! | 6 | up product, bias, GELU, next bundle |
//! | 7 | down product, bias and residual |
//! | 8 | norm, next bundle |

use portico_shared::model::{EncoderConfig, Pooling};

use super::attention::AttentionShape;
use super::forward::{Planned, act_code};
use super::model_plan::{Vectors, vectors};
use crate::EngineError;
use crate::caps::Variants;
use crate::linear::{
    ActLayout, Embed, Input, Linear, LinearChoice, LinearWeight, NextBundle, Output, Stacking,
    Tokens, embed, linear,
};
use crate::model::EncoderTensors;
use crate::record::{Binding, BufferId, BufferKind, Dispatch, KernelKey, Recording};

/// Most tokens of a submit, where no text is longer.
const MAX_TOKENS: u32 = 512;
/// Tokens for which there is room for a tile, and for a text.
pub(crate) const TOKENS_PER_TILE: u32 = 4;

/// A layer's buffers.
#[derive(Clone, Debug)]
struct Layer {
    qkv: LinearWeight,
    qkv_bias: Vectors,
    attn_output: LinearWeight,
    attn_output_bias: Vectors,
    attn_norm: [Vectors; 2],
    up: LinearWeight,
    up_bias: Vectors,
    down: LinearWeight,
    down_bias: Vectors,
    output_norm: [Vectors; 2],
}

/// An encoder's buffers.
#[derive(Clone, Debug)]
pub(crate) struct EncoderPlan {
    pub config: EncoderConfig,
    /// Tokens that a text may have here.
    pub n_ctx: u32,
    /// Tokens that the activations hold; a multiple of every workgroup's.
    pub max_tokens: u32,
    /// All buffers; its dispatches stay empty.
    pub recording: Recording,
    choice: LinearChoice,
    attention: AttentionShape,
    embedding: LinearWeight,
    position_embd: Vectors,
    type_embd: Vectors,
    embedding_norm: [Vectors; 2],
    layers: Vec<Layer>,
    /// Tokens, tiles, 0, texts.
    pub params: BufferId,
    /// Of each token: its id, and its place in its text.
    pub token_ids: BufferId,
    pub positions: BufferId,
    /// As `kernels/attention.wgsl` and `kernels/pool.wgsl` read them.
    pub tiles: BufferId,
    pub texts: BufferId,
    x: BufferId,
    qkv: BufferId,
    q: BufferId,
    k: BufferId,
    v: BufferId,
    embd_bundle: (BufferId, ActLayout),
    attn_bundle: (BufferId, ActLayout),
    ff_bundle: (BufferId, ActLayout),
    /// `[text][n_embd]`
    pub vectors: BufferId,
}

impl EncoderPlan {
    /// Plans an encoder for a device; texts get at most `n_ctx` tokens. Nothing is allocated.
    ///
    /// # Errors
    /// As [`LinearWeight::plan`], and [`EngineError::Unsupported`] where a buffer exceeds a binding.
    pub fn new(
        config: EncoderConfig,
        tensors: EncoderTensors,
        variants: &Variants,
        n_ctx: u32,
    ) -> Result<Self, EngineError> {
        let n_ctx = n_ctx.clamp(2, config.n_ctx.max(2) as u32);
        let max_tokens = n_ctx.max(MAX_TOKENS).next_multiple_of(16);
        let choice = LinearChoice::new(variants);
        let head_dim = config.head_dim() as u32;
        let tokens = 1 << AttentionShape::max_rows(head_dim).ilog2();
        let limit = variants.max_binding_bytes;
        let mut rec = Recording::default();
        let rec = &mut rec;
        let weight = |rec: &mut Recording, label: String, matrices| {
            LinearWeight::plan(rec, &label, matrices, Stacking::Rows, limit)
        };
        let embedding = weight(rec, "embedding".to_owned(), vec![tensors.embedding])?;
        let position_embd = vectors(rec, "position_embd".to_owned(), [tensors.position_embd]);
        let type_embd = vectors(rec, "type_embd".to_owned(), [tensors.type_embd]);
        let norm = |rec: &mut Recording, label: String, parts: [_; 2]| {
            parts.map(|part| vectors(rec, label.clone(), [part]))
        };
        let embedding_norm = norm(rec, "embedding_norm".to_owned(), tensors.embedding_norm);
        let mut layers = Vec::new();
        for (index, layer) in tensors.layers.into_iter().enumerate() {
            let label = |part: &str| format!("layer{index}.{part}");
            layers.push(Layer {
                qkv: weight(rec, label("qkv"), layer.qkv)?,
                qkv_bias: vectors(rec, label("qkv_bias"), layer.qkv_bias),
                attn_output: weight(rec, label("attn_output"), vec![layer.attn_output])?,
                attn_output_bias: vectors(rec, label("attn_bias"), [layer.attn_output_bias]),
                attn_norm: norm(rec, label("attn_norm"), layer.attn_norm),
                up: weight(rec, label("up"), vec![layer.up])?,
                up_bias: vectors(rec, label("up_bias"), [layer.up_bias]),
                down: weight(rec, label("down"), vec![layer.down])?,
                down_bias: vectors(rec, label("down_bias"), [layer.down_bias]),
                output_norm: norm(rec, label("output_norm"), layer.output_norm),
            });
        }
        let tokens_bytes = u64::from(max_tokens) * 4;
        let width_bytes = tokens_bytes * config.n_embd as u64;
        let mut activation =
            |label: &'static str, bytes: u64| rec.buffer(label, BufferKind::Activation, bytes);
        let x = activation("x", width_bytes);
        let qkv = activation("qkv", 3 * width_bytes);
        let q = activation("q", width_bytes);
        let k = activation("k", width_bytes);
        let v = activation("v", width_bytes);
        let mut bundle = |label: &'static str, cols: usize| {
            let layout = ActLayout { kind: choice.act, cols: cols as u32, max_tokens };
            (activation(label, layout.size_bytes()), layout)
        };
        let embd_bundle = bundle("bundle.embd", config.n_embd);
        let attn_bundle = bundle("bundle.attn", config.n_embd);
        let ff_bundle = bundle("bundle.ff", config.n_ff);
        let n_tiles = u64::from(max_tokens / TOKENS_PER_TILE);
        let mut words = |label: &'static str, n: u64| rec.buffer(label, BufferKind::Params, n * 4);
        let params = words("params", 4);
        let token_ids = words("token_ids", u64::from(max_tokens));
        let positions = words("positions", u64::from(max_tokens));
        let tiles = words("tiles", n_tiles * 4);
        let texts = words("texts", n_tiles * 2);
        let vectors_bytes = n_tiles * config.n_embd as u64 * 4;
        let vectors = rec.buffer("vectors", BufferKind::Output, vectors_bytes);
        if let Some(large) = rec.buffers.iter().find(|buffer| buffer.size_bytes > limit) {
            return Err(EngineError::unsupported(format!(
                "{} takes {} bytes, the device binds {limit}",
                large.label, large.size_bytes
            )));
        }
        Ok(Self {
            config,
            n_ctx,
            max_tokens,
            recording: std::mem::take(rec),
            choice,
            attention: AttentionShape::new(head_dim, 1, tokens, variants),
            embedding,
            position_embd,
            type_embd,
            embedding_norm,
            layers,
            params,
            token_ids,
            positions,
            tiles,
            texts,
            x,
            qkv,
            q,
            k,
            v,
            embd_bundle,
            attn_bundle,
            ff_bundle,
            vectors,
        })
    }

    /// Tokens of a tile, all of one text.
    pub fn tile(&self) -> u32 {
        self.attention.tokens
    }

    /// Every matrix of the file belongs to one of these.
    pub fn weights(&self) -> impl Iterator<Item = &LinearWeight> {
        let layers = self.layers.iter();
        let layers = layers.flat_map(|l| [&l.qkv, &l.attn_output, &l.up, &l.down]);
        [&self.embedding].into_iter().chain(layers)
    }

    /// Every vector of the file belongs to one of these.
    pub fn vectors(&self) -> impl Iterator<Item = &Vectors> {
        let layers = self.layers.iter().flat_map(|layer| {
            [&layer.qkv_bias, &layer.attn_output_bias, &layer.up_bias, &layer.down_bias]
                .into_iter()
                .chain(&layer.attn_norm)
                .chain(&layer.output_norm)
        });
        [&self.position_embd, &self.type_embd].into_iter().chain(&self.embedding_norm).chain(layers)
    }

    /// All dispatches of a submit of up to [`EncoderPlan::max_tokens`]: from token ids to
    /// [`EncoderPlan::vectors`].
    ///
    /// # Errors
    /// [`EngineError::Internal`] where shapes contradict each other.
    pub fn forward(&self) -> Result<Vec<Planned>, EngineError> {
        let mut forward = Forward { plan: self, out: Vec::new() };
        forward.embed()?;
        for (index, layer) in self.layers.iter().enumerate() {
            forward.layer(&format!("layer{index}"), layer)?;
        }
        forward.pool();
        Ok(forward.out)
    }
}

struct Forward<'a> {
    plan: &'a EncoderPlan,
    out: Vec<Planned>,
}

impl Forward<'_> {
    fn dispatch(&mut self, dispatch: Dispatch, token_axis: usize) {
        self.out.push(Planned { dispatch, token_axis: Some(token_axis) });
    }

    fn kernel(
        &mut self,
        (name, label): (&'static str, String),
        defines: Vec<(&'static str, u32)>,
        buffers: &[BufferId],
        workgroups: [u32; 3],
        token_axis: usize,
    ) {
        let bindings = buffers.iter().map(|&buffer| buffer.into()).collect();
        let kernel = KernelKey { name, defines };
        self.dispatch(Dispatch { kernel, bindings, workgroups, label: label.into() }, token_axis);
    }

    fn next(bundle: (BufferId, ActLayout)) -> NextBundle {
        NextBundle { bundle: bundle.0, layout: bundle.1, norm_weight: None }
    }

    fn embed(&mut self) -> Result<(), EngineError> {
        let plan = self.plan;
        let mut recording = Recording::default();
        embed(
            &mut recording,
            &Embed {
                label: "embed".to_owned(),
                weight: &plan.embedding,
                scale: 1.0,
                max_tokens: plan.max_tokens,
                params: plan.params.into(),
                token_ids: plan.token_ids.into(),
                x: plan.x,
                next: Self::next(plan.embd_bundle),
            },
        )?;
        for dispatch in recording.dispatches {
            self.dispatch(dispatch, 0);
        }
        self.norm("embedding_norm".to_owned(), &plan.embedding_norm, true);
        Ok(())
    }

    fn norm(&mut self, label: String, [weight, bias]: &[Vectors; 2], embeds: bool) {
        let plan = self.plan;
        let (next, layout) = plan.embd_bundle;
        let mut buffers = vec![plan.params, plan.x, weight.buffer, bias.buffer, next];
        if embeds {
            buffers.extend([plan.positions, plan.position_embd.buffer, plan.type_embd.buffer]);
        }
        let defines = vec![
            ("COLS", layout.cols),
            ("EPSILON_BITS", plan.config.norm_eps.to_bits()),
            ("EMBED", u32::from(embeds)),
            ("NEXT", act_code(layout.kind)),
            ("NEXT_COLS", layout.cols),
            ("NEXT_BLOCKS_AT", layout.blocks_at()),
        ];
        self.kernel(("layer_norm", label), defines, &buffers, [plan.max_tokens, 1, 1], 0);
    }

    fn linear(
        &mut self,
        label: String,
        weight: &LinearWeight,
        (bundle, layout): (BufferId, ActLayout),
        output: Output,
    ) -> Result<(), EngineError> {
        let plan = self.plan;
        let tokens = Tokens::Many { max: plan.max_tokens, params: Binding::from(plan.params) };
        let input = Input { bundle, layout, norm: None, token_from: None };
        let mut recording = Recording::default();
        linear(&mut recording, &plan.choice, &Linear { label, weight, input, tokens, output })?;
        for dispatch in recording.dispatches {
            self.dispatch(dispatch, 1);
        }
        Ok(())
    }

    fn layer(&mut self, name: &str, layer: &Layer) -> Result<(), EngineError> {
        let plan = self.plan;
        let label = |part: &str| format!("{name}.{part}");
        let bias = Some(layer.qkv_bias.buffer);
        let output = Output::Plain { y: plan.qkv, bias };
        self.linear(label("qkv"), &layer.qkv, plan.embd_bundle, output)?;
        self.attention(&label("attention"));
        let residual = |bias: &Vectors| {
            let bias = Some(bias.buffer);
            Output::Residual { x: plan.x, bias, next: None }
        };
        let output = residual(&layer.attn_output_bias);
        self.linear(label("attn_output"), &layer.attn_output, plan.attn_bundle, output)?;
        self.norm(label("attn_norm"), &layer.attn_norm, false);
        let next = Self::next(plan.ff_bundle);
        let output = Output::Activated { bias: Some(layer.up_bias.buffer), next };
        self.linear(label("up"), &layer.up, plan.embd_bundle, output)?;
        self.linear(label("down"), &layer.down, plan.ff_bundle, residual(&layer.down_bias))?;
        self.norm(label("output_norm"), &layer.output_norm, false);
        Ok(())
    }

    fn attention(&mut self, label: &str) {
        let plan = self.plan;
        let shape = plan.attention;
        let (head_dim, n_heads) = (plan.config.head_dim() as u32, plan.config.n_heads as u32);
        let shapes = [
            ("HEAD_DIM", head_dim),
            ("N_HEADS", n_heads),
            ("N_KV_HEADS", n_heads),
            // The cache holds what a submit holds.
            ("N_CTX", plan.max_tokens),
            ("KV_HALF", 0),
            ("ROPE_DIM", 0),
            ("NEOX", 0),
            ("QK_NORM", 0),
        ];
        // Nothing is rotated: the table is not read.
        let table = plan.type_embd.buffer;
        let buffers = [plan.params, plan.qkv, table, plan.q, plan.k, plan.v];
        let groups = [3 * n_heads, plan.max_tokens, 1];
        self.kernel(("rope_kv", format!("{label}.kv")), shapes.to_vec(), &buffers, groups, 1);
        let (next, layout) = plan.attn_bundle;
        let mut defines = shapes.to_vec();
        defines.extend([
            ("HEADS", 1),
            ("TOKENS", shape.tokens),
            ("WINDOW", 0),
            ("SCALE_BITS", (1.0 / (head_dim as f32).sqrt()).to_bits()),
            ("SOFTCAP_BITS", 0),
            ("LANES", shape.lanes),
            ("SUBGROUP", u32::from(shape.subgroup)),
            ("SPLIT", 0),
            ("TILES", 1),
            ("ROTATE", 0),
            ("NEXT", act_code(layout.kind)),
            ("NEXT_COLS", layout.cols),
            ("NEXT_BLOCKS_AT", layout.blocks_at()),
        ]);
        let buffers = [plan.params, plan.q, plan.k, plan.v, next, plan.tiles];
        let groups = [plan.max_tokens / TOKENS_PER_TILE, n_heads, 1];
        self.kernel(("attention", label.to_owned()), defines, &buffers, groups, 0);
    }

    fn pool(&mut self) {
        let plan = self.plan;
        let defines = vec![
            ("COLS", plan.config.n_embd as u32),
            ("CLS", u32::from(plan.config.pooling == Pooling::Cls)),
        ];
        let buffers = [plan.params, plan.texts, plan.x, plan.vectors];
        let groups = [plan.max_tokens / TOKENS_PER_TILE, 1, 1];
        self.kernel(("pool", "pool".to_owned()), defines, &buffers, groups, 0);
    }
}
