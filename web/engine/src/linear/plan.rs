//! Which dispatches compute a linear layer?

use crate::EngineError;
use crate::record::{Binding, BufferId, Dispatch, KernelKey, Recording};

use super::act::BLOCK;
use super::{ActKind, ActLayout, LinearChoice, LinearWeight, Part, Stacking};

/// The RMS norm whose weight is already in the bundle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsNorm {
    /// ε of `1/√(Σx²/cols + ε)`.
    pub epsilon: f32,
}

/// How many tokens does a dispatch compute?
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tokens {
    /// One: the matrix–vector kernel.
    One,
    /// Up to `max`; word 0 of `params` says how many at each submit.
    Many { max: u32, params: Binding },
}

/// What is multiplied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Input {
    /// A bundle of `layout`.
    pub bundle: BufferId,
    pub layout: ActLayout,
    pub norm: Option<RmsNorm>,
    /// Reads this token of the bundle as the only one ([`Tokens::One`]); where the last of a chunk
    /// goes to the language model's head, word 1 of `params` says which.
    pub token_from: Option<Binding>,
}

/// A bundle that the epilogue writes for the next linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextBundle {
    pub bundle: BufferId,
    pub layout: ActLayout,
    /// `f32[cols]` that values are multiplied by; None: by 1.
    pub norm_weight: Option<BufferId>,
}

/// How a gate acts on `up`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// `x/(1+e^-x)`
    Silu,
    /// GELU in its tanh form.
    GeluTanh,
}

/// What becomes of `W·x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// `y[token][rows] = W·x (+ bias)`, float32, the rows of all stacked matrices in order.
    Plain { y: BufferId, bias: Option<BufferId> },
    /// `x[token][rows] += W·x (+ bias)` in place, and the next bundle of it.
    Residual { x: BufferId, bias: Option<BufferId>, next: Option<NextBundle> },
    /// For [`super::Stacking::Gated`] weights: `gate(Wg·x)·(Wu·x)` as a bundle.
    Gated { gate: Gate, next: NextBundle },
    /// `gelu(W·x (+ bias))` as a bundle, by the error function: what encoders have between.
    Activated { bias: Option<BufferId>, next: NextBundle },
}

/// One linear layer.
#[derive(Clone, Debug)]
pub struct Linear<'a> {
    /// `layer3.qkv`
    pub label: String,
    pub weight: &'a LinearWeight,
    pub input: Input,
    pub tokens: Tokens,
    pub output: Output,
}

type Symbols = Vec<(&'static str, u32)>;

/// Names of a segment's symbols; the preprocessor reads them as `NAME[i]`.
const SEGMENT_SYMBOLS: [[&str; 8]; 4] = [
    [
        "FMT0",
        "SEG_ROWS0",
        "SEG_PADDED0",
        "SEG_OUT0",
        "SEG_END0",
        "QUANTS_AT0",
        "SCALES_AT0",
        "HIGH_AT0",
    ],
    [
        "FMT1",
        "SEG_ROWS1",
        "SEG_PADDED1",
        "SEG_OUT1",
        "SEG_END1",
        "QUANTS_AT1",
        "SCALES_AT1",
        "HIGH_AT1",
    ],
    [
        "FMT2",
        "SEG_ROWS2",
        "SEG_PADDED2",
        "SEG_OUT2",
        "SEG_END2",
        "QUANTS_AT2",
        "SCALES_AT2",
        "HIGH_AT2",
    ],
    [
        "FMT3",
        "SEG_ROWS3",
        "SEG_PADDED3",
        "SEG_OUT3",
        "SEG_END3",
        "QUANTS_AT3",
        "SCALES_AT3",
        "HIGH_AT3",
    ],
];

/// The symbols of a part's segments, shared by `linear` and `embed`.
pub(super) fn segment_symbols(part: &Part, cols: u32, symbols: &mut Symbols) {
    let mut end = 0;
    for (segment, names) in part.segments.iter().zip(SEGMENT_SYMBOLS) {
        end += segment.padded_rows;
        let values = [
            segment.format.code(),
            segment.rows,
            segment.padded_rows,
            segment.out_at,
            end,
            segment.quants_at,
            segment.words_at,
            segment.words_at + segment.padded_rows * (cols / BLOCK),
        ];
        symbols.extend(names.into_iter().zip(values));
    }
}

pub(super) fn act_code(kind: ActKind) -> u32 {
    match kind {
        ActKind::F32 => 32,
        ActKind::Q8 => 8,
    }
}

/// Symbols of a bundle that a kernel writes.
pub(super) fn next_symbols(next: Option<&NextBundle>, symbols: &mut Symbols) {
    symbols.push(("NEXT", next.map_or(0, |next| act_code(next.layout.kind))));
    symbols.push(("NEXT_NORM", next.map_or(0, |next| u32::from(next.norm_weight.is_some()))));
    symbols.push(("NEXT_COLS", next.map_or(0, |next| next.layout.cols)));
    symbols.push(("NEXT_BLOCKS_AT", next.map_or(0, |next| next.layout.blocks_at())));
}

/// Records the dispatches of a linear layer: one for each part of its weights.
///
/// # Errors
/// [`EngineError::Internal`] where shapes of the plan contradict each other.
pub fn linear(
    recording: &mut Recording,
    choice: &LinearChoice,
    layer: &Linear<'_>,
) -> Result<(), EngineError> {
    let bad = |reason: &str| Err(EngineError::internal(format!("{}: {reason}", layer.label)));
    let weight = layer.weight;
    let input = layer.input.layout;
    let (output, gate, next, bias) = match layer.output {
        Output::Plain { bias, .. } => (0, None, None, bias),
        Output::Residual { bias, next, .. } => (1, None, next, bias),
        Output::Gated { gate, next } => (2, Some(gate), Some(next), None),
        Output::Activated { bias, next } => (3, None, Some(next), bias),
    };
    let is_gated = weight.stacking == Stacking::Gated;
    if is_gated != gate.is_some() {
        return bad("gated weights go with a gated output");
    }
    if input.cols != weight.cols {
        return bad("the bundle has other columns than the weights");
    }
    if let Some(next) = next
        && (next.layout.cols != weight.rows || !weight.rows.is_multiple_of(BLOCK))
    {
        return bad("the next bundle has other columns than the weights have rows");
    }
    let (max_tokens, mut shape) = match (layer.tokens, is_gated) {
        (Tokens::One, false) => (input.max_tokens, choice.one),
        (Tokens::One, true) => (input.max_tokens, choice.gated_one),
        (Tokens::Many { max, .. }, false) => (max, choice.many),
        (Tokens::Many { max, .. }, true) => (max, choice.gated_many),
    };
    if max_tokens > input.max_tokens {
        return bad("more tokens than the bundle holds");
    }
    // Integer products need integers on both sides.
    shape.dot4 &= input.kind == ActKind::Q8
        && (!is_gated || weight.matrices.iter().all(|m| m.quant.format().is_quantised()));
    let params = match (layer.tokens, layer.input.token_from) {
        (Tokens::Many { params, .. }, None) => Some(params),
        (Tokens::One, params) => params,
        (Tokens::Many { .. }, Some(_)) => return bad("one token is picked for one token only"),
    };
    for (index, part) in weight.parts.iter().enumerate() {
        let mut symbols: Symbols = vec![
            ("LANES", shape.lanes),
            ("ROWS_PER_LANE", shape.rows_per_lane),
            ("SPLIT", shape.split),
            ("TOKENS", shape.tokens),
            ("SUBGROUP", u32::from(shape.subgroup)),
            ("DOT", u32::from(shape.dot4)),
            ("ACT", act_code(input.kind)),
            ("COLS", input.cols),
            ("BLOCKS", input.n_blocks()),
            ("BLOCKS_AT", input.blocks_at()),
            ("MAX_TOKENS", max_tokens),
            ("PICK_TOKEN", u32::from(layer.input.token_from.is_some())),
            ("NORM", u32::from(layer.input.norm.is_some())),
            ("EPSILON_BITS", layer.input.norm.map_or(0, |norm| norm.epsilon.to_bits())),
            ("OUTPUT", output),
            ("GATE", gate.map_or(0, |gate| u32::from(gate == Gate::GeluTanh))),
            ("BIAS", u32::from(bias.is_some())),
            ("Y_ROWS", weight.rows),
            ("SETS", 1 + u32::from(is_gated)),
            ("SEGMENTS", part.segments.len() as u32),
        ];
        next_symbols(next.as_ref(), &mut symbols);
        segment_symbols(part, weight.cols, &mut symbols);
        let mut bindings: Vec<Binding> =
            vec![part.buffer.into(), part.buffer.into(), layer.input.bundle.into()];
        bindings.extend(params);
        match layer.output {
            Output::Plain { y, .. } => bindings.push(y.into()),
            Output::Residual { x, .. } => bindings.push(x.into()),
            Output::Gated { .. } | Output::Activated { .. } => {}
        }
        bindings.extend(bias.map(Binding::from));
        bindings.extend(next.map(|next| Binding::from(next.bundle)));
        bindings.extend(next.and_then(|next| next.norm_weight).map(Binding::from));
        let rows: u32 = if is_gated {
            part.segments[0].padded_rows
        } else {
            part.segments.iter().map(|segment| segment.padded_rows).sum()
        };
        let token_tiles = match layer.tokens {
            Tokens::One => 1,
            Tokens::Many { max, .. } => max.div_ceil(shape.tokens),
        };
        let label = if weight.parts.len() == 1 {
            layer.label.clone()
        } else {
            format!("{}.{index}", layer.label)
        };
        recording.dispatch(Dispatch {
            kernel: KernelKey { name: "linear", defines: symbols },
            bindings,
            workgroups: [rows / shape.rows(), token_tiles, 1],
            label: label.into(),
        });
    }
    Ok(())
}
