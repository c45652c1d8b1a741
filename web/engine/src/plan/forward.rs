//! Which dispatches compute a model's logits from its tokens?

use crate::EngineError;
use crate::linear::{
    ActKind, Embed, Gate, Input, Linear, NextBundle, Output, RmsNorm, Tokens, embed, linear,
};
use crate::model::{Activation, RopeStyle};
use crate::record::{Binding, BufferId, Dispatch, KernelKey, Recording};

use super::model_plan::{LayerPlan, ModelPlan};

/// A dispatch and which of its workgroup counts follows the number of tokens.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub dispatch: Dispatch,
    /// Recorded for [`ModelPlan::max_tokens`]; fewer tokens need fewer workgroups along this axis.
    pub token_axis: Option<usize>,
}

impl Planned {
    pub fn fixed(dispatch: Dispatch) -> Self {
        Self { dispatch, token_axis: None }
    }
}

/// How many tokens does a program compute?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One, of a context of up to `splits` runs ([`super::AttentionPlan::chunk`]).
    One { splits: u32 },
    /// Up to [`ModelPlan::max_tokens`].
    Many,
}

struct Forward<'a> {
    plan: &'a ModelPlan,
    mode: Mode,
    out: Vec<Planned>,
}

/// Embedding and layers: from `token_ids` and `params` to the residual stream's last bundle.
///
/// # Errors
/// [`EngineError::Internal`] where shapes contradict each other.
pub(crate) fn forward(plan: &ModelPlan, mode: Mode) -> Result<Vec<Planned>, EngineError> {
    let mut forward = Forward { plan, mode, out: Vec::new() };
    forward.embed()?;
    for (index, layer) in plan.layers.iter().enumerate() {
        let next_norm =
            plan.layers.get(index + 1).map_or(&plan.output_norm, |next| &next.attn_norm).buffer;
        forward.layer(index, layer, next_norm)?;
    }
    Ok(forward.out)
}

/// The logits of the last token of a submit, into [`ModelPlan::logits`].
///
/// # Errors
/// As [`forward`].
pub(crate) fn head(plan: &ModelPlan) -> Result<Vec<Planned>, EngineError> {
    let mut forward = Forward { plan, mode: Mode::One { splits: 1 }, out: Vec::new() };
    let input = Input { token_from: Some(plan.params.into()), ..forward.embd_input() };
    let output = Output::Plain { y: plan.logits, bias: None };
    forward.linear("head", plan.head(), input, output)?;
    Ok(forward.out)
}

/// The logits of all tokens of a submit, `[max_tokens][n_vocab]`, into `logits`.
///
/// # Errors
/// As [`forward`].
pub(crate) fn head_many(plan: &ModelPlan, logits: BufferId) -> Result<Vec<Planned>, EngineError> {
    let mut forward = Forward { plan, mode: Mode::Many, out: Vec::new() };
    let output = Output::Plain { y: logits, bias: None };
    forward.linear("head", plan.head(), forward.embd_input(), output)?;
    Ok(forward.out)
}

pub(super) fn act_code(kind: ActKind) -> u32 {
    match kind {
        ActKind::F32 => 32,
        ActKind::Q8 => 8,
    }
}

impl Forward<'_> {
    fn params(&self) -> Binding {
        self.plan.params.into()
    }

    fn tokens(&self) -> Tokens {
        match self.mode {
            Mode::One { .. } => Tokens::One,
            Mode::Many => Tokens::Many { max: self.plan.max_tokens, params: self.params() },
        }
    }

    fn max_tokens(&self) -> u32 {
        match self.mode {
            Mode::One { .. } => 1,
            Mode::Many => self.plan.max_tokens,
        }
    }

    fn token_axis(&self, axis: usize) -> Option<usize> {
        (self.mode == Mode::Many).then_some(axis)
    }

    fn embd_input(&self) -> Input {
        let (bundle, layout) = self.plan.embd_bundle;
        let norm = Some(RmsNorm { epsilon: self.plan.config.norm_eps });
        Input { bundle, layout, norm, token_from: None }
    }

    fn embd_next(&self, norm_weight: BufferId) -> NextBundle {
        let (bundle, layout) = self.plan.embd_bundle;
        NextBundle { bundle, layout, norm_weight: Some(norm_weight) }
    }

    fn dispatch(&mut self, dispatch: Dispatch, token_axis: usize) {
        let token_axis = self.token_axis(token_axis);
        self.out.push(Planned { dispatch, token_axis });
    }

    fn take(&mut self, recording: Recording, token_axis: usize) {
        for dispatch in recording.dispatches {
            self.dispatch(dispatch, token_axis);
        }
    }

    fn embed(&mut self) -> Result<(), EngineError> {
        let plan = self.plan;
        let first_norm = plan.layers.first().map_or(&plan.output_norm, |layer| &layer.attn_norm);
        let mut recording = Recording::default();
        embed(
            &mut recording,
            &Embed {
                label: "embed".to_owned(),
                weight: &plan.embedding,
                scale: plan.config.embedding_scale,
                max_tokens: self.max_tokens(),
                params: self.params(),
                token_ids: plan.token_ids.into(),
                x: plan.x,
                next: self.embd_next(first_norm.buffer),
            },
        )?;
        self.take(recording, 0);
        Ok(())
    }

    fn linear(
        &mut self,
        label: &str,
        weight: &crate::linear::LinearWeight,
        input: Input,
        output: Output,
    ) -> Result<(), EngineError> {
        let mut recording = Recording::default();
        let layer =
            Linear { label: label.to_owned(), weight, input, tokens: self.tokens(), output };
        linear(&mut recording, &self.plan.choice, &layer)?;
        self.take(recording, 1);
        Ok(())
    }

    fn layer(
        &mut self,
        index: usize,
        layer: &LayerPlan,
        next_norm: BufferId,
    ) -> Result<(), EngineError> {
        let plan = self.plan;
        let label = |part: &str| format!("layer{index}.{part}");
        let bias = layer.qkv_bias.as_ref().map(|bias| bias.buffer);
        let output = Output::Plain { y: plan.qkv, bias };
        self.linear(&label("qkv"), &layer.qkv, self.embd_input(), output)?;
        if !self.attention_rotates() {
            self.rope_kv(label("rope_kv"), index, layer);
        }
        self.attention(label("attention"), index, layer);

        let (bundle, layout) = plan.attn_bundle;
        let input = Input { bundle, layout, norm: None, token_from: None };
        self.residual(
            [&label("attn_output"), &label("post_attn_norm")],
            &layer.attn_output,
            input,
            layer.post_attn_norm.as_ref().map(|norm| norm.buffer),
            layer.ffn_norm.buffer,
        )?;

        let (bundle, layout) = plan.ff_bundle;
        let gate = match plan.config.arch.activation() {
            Activation::Silu => Gate::Silu,
            Activation::Gelu => Gate::GeluTanh,
        };
        let next = NextBundle { bundle, layout, norm_weight: None };
        let output = Output::Gated { gate, next };
        self.linear(&label("gate_up"), &layer.gate_up, self.embd_input(), output)?;
        let input = Input { bundle, layout, norm: None, token_from: None };
        self.residual(
            [&label("down"), &label("post_ffn_norm")],
            &layer.down,
            input,
            layer.post_ffn_norm.as_ref().map(|norm| norm.buffer),
            next_norm,
        )
    }

    /// x += W·input, with a norm on the product for gemma3, and the next bundle.
    fn residual(
        &mut self,
        labels: [&str; 2],
        weight: &crate::linear::LinearWeight,
        input: Input,
        post_norm: Option<BufferId>,
        next_norm: BufferId,
    ) -> Result<(), EngineError> {
        let plan = self.plan;
        let next = self.embd_next(next_norm);
        let (Some(post_norm), Some(branch)) = (post_norm, plan.branch) else {
            let output = Output::Residual { x: plan.x, bias: None, next: Some(next) };
            return self.linear(labels[0], weight, input, output);
        };
        self.linear(labels[0], weight, input, Output::Plain { y: branch, bias: None })?;
        let config = &plan.config;
        let dispatch = Dispatch {
            kernel: KernelKey {
                name: "residual_norm",
                defines: vec![
                    ("COLS", config.n_embd),
                    ("EPSILON_BITS", config.norm_eps.to_bits()),
                    ("NEXT", act_code(next.layout.kind)),
                    ("NEXT_NORM", 1),
                    ("NEXT_COLS", next.layout.cols),
                    ("NEXT_BLOCKS_AT", next.layout.blocks_at()),
                ],
            },
            bindings: vec![
                self.params(),
                branch.into(),
                post_norm.into(),
                plan.x.into(),
                next.bundle.into(),
                next_norm.into(),
            ],
            workgroups: [self.max_tokens(), 1, 1],
            label: labels[1].to_owned().into(),
        };
        self.dispatch(dispatch, 0);
        Ok(())
    }

    /// Whether the attention itself rotates and caches: one token, whose key is one workgroup's.
    fn attention_rotates(&self) -> bool {
        let config = &self.plan.config;
        let is_one = matches!(self.mode, Mode::One { .. });
        is_one && self.plan.attention.one.heads == config.n_heads / config.n_kv_heads
    }

    /// Symbols of `shared/rotate.wgsl`.
    fn rotation(&self, layer: &LayerPlan) -> [(&'static str, u32); 4] {
        let config = &self.plan.config;
        [
            ("ROPE_DIM", config.rope_dim),
            ("NEOX", u32::from(config.arch.rope_style() == RopeStyle::Neox)),
            ("QK_NORM", u32::from(layer.qk_norm.is_some())),
            ("EPSILON_BITS", config.norm_eps.to_bits()),
        ]
    }

    /// The layer's table of angles.
    fn rope(&self, index: usize) -> Binding {
        let is_local = self.plan.config.window(index).is_some();
        if is_local { self.plan.rope_local } else { self.plan.rope }.into()
    }

    fn rope_kv(&mut self, label: String, index: usize, layer: &LayerPlan) {
        let plan = self.plan;
        let config = &plan.config;
        let mut bindings: Vec<Binding> = vec![
            self.params(),
            plan.qkv.into(),
            self.rope(index),
            plan.q.into(),
            layer.k_cache.into(),
            layer.v_cache.into(),
        ];
        bindings.extend(layer.qk_norm.as_ref().map(|norm| Binding::from(norm.buffer)));
        let mut defines = vec![
            ("HEAD_DIM", config.head_dim),
            ("N_HEADS", config.n_heads),
            ("N_KV_HEADS", config.n_kv_heads),
            ("N_CTX", plan.n_ctx),
            ("KV_HALF", u32::from(plan.kv_half)),
        ];
        defines.extend(self.rotation(layer));
        let dispatch = Dispatch {
            kernel: KernelKey { name: "rope_kv", defines },
            bindings,
            workgroups: [config.n_heads + 2 * config.n_kv_heads, self.max_tokens(), 1],
            label: label.into(),
        };
        self.dispatch(dispatch, 1);
    }

    fn attention(&mut self, label: String, index: usize, layer: &LayerPlan) {
        let plan = self.plan;
        let config = &plan.config;
        let attention = &plan.attention;
        let (shape, splits) = match self.mode {
            Mode::One { splits } => (attention.one, splits),
            Mode::Many => (attention.many, 1),
        };
        let partial = plan.attn_partial.filter(|_| splits > 1);
        let (bundle, layout) = plan.attn_bundle;
        let shapes = [
            ("HEAD_DIM", config.head_dim),
            ("N_HEADS", config.n_heads),
            ("N_CTX", plan.n_ctx),
            ("WINDOW", config.window(index).unwrap_or(0)),
            ("CHUNK", attention.chunk),
            ("MAX_SPLITS", attention.max_splits),
            ("NEXT", act_code(layout.kind)),
            ("NEXT_COLS", layout.cols),
            ("NEXT_BLOCKS_AT", layout.blocks_at()),
        ];
        let mut defines = shapes.to_vec();
        defines.extend([
            ("N_KV_HEADS", config.n_kv_heads),
            ("HEADS", shape.heads),
            ("TOKENS", shape.tokens),
            ("SCALE_BITS", config.attn_scale.to_bits()),
            ("SOFTCAP_BITS", config.attn_softcap.map_or(0, f32::to_bits)),
            ("LANES", shape.lanes),
            ("SUBGROUP", u32::from(shape.subgroup)),
            ("SPLIT", u32::from(partial.is_some())),
        ]);
        let rotates = self.attention_rotates();
        defines.extend([
            ("TILES", 0),
            ("ROTATE", u32::from(rotates)),
            ("KV_HALF", u32::from(plan.kv_half)),
        ]);
        let mut bindings = vec![
            self.params(),
            if rotates { plan.qkv } else { plan.q }.into(),
            layer.k_cache.into(),
            layer.v_cache.into(),
            partial.unwrap_or(bundle).into(),
        ];
        if rotates {
            defines.extend(self.rotation(layer));
            bindings.push(self.rope(index));
            bindings.extend(layer.qk_norm.as_ref().map(|norm| Binding::from(norm.buffer)));
        }
        let dispatch = Dispatch {
            kernel: KernelKey { name: "attention", defines },
            bindings,
            workgroups: [
                self.max_tokens().div_ceil(shape.tokens),
                config.n_heads / shape.heads,
                splits,
            ],
            label: label.clone().into(),
        };
        self.dispatch(dispatch, 0);
        if let Some(partial) = partial {
            let dispatch = Dispatch {
                kernel: KernelKey { name: "attention_reduce", defines: shapes.to_vec() },
                bindings: vec![self.params(), partial.into(), bundle.into()],
                workgroups: [config.n_heads, 1, 1],
                label: format!("{label}_reduce").into(),
            };
            self.dispatch(dispatch, 1);
        }
    }
}
