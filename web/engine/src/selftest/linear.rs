//! Which trials hold the linear kernels to their twins?

use super::random::Random;
use super::trial::{Trial, Written};
use crate::EngineError;
use crate::linear::{
    ActKind, ActLayout, Embed, Gate, Input, Linear, LinearChoice, LinearWeight, MatrixDesc,
    NextBundle, Output, RmsNorm, Shape, Stacking, Tokens, embed, linear,
};
use crate::record::{Binding, BufferKind, Recording};
use crate::repack::{QuantType, Repacker};

/// What is tried.
#[derive(Clone, Debug)]
pub struct LinearCase {
    /// File types and rows of the stacked matrices.
    pub matrices: Vec<(QuantType, u32)>,
    pub stacking: Stacking,
    pub cols: u32,
    pub act: ActKind,
    pub shape: Shape,
    /// None: one token.
    pub n_tokens: Option<u32>,
    pub has_norm: bool,
    pub has_bias: bool,
    pub output: OutputCase,
    /// Small ones split the weights.
    pub max_binding_bytes: u64,
    pub seed: u32,
}

/// Which epilogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputCase {
    Plain,
    Residual(Option<ActKind>),
    Gated(Gate, ActKind),
    Activated(ActKind),
}

/// Words for a recording's buffers.
struct Data {
    words: Vec<Vec<u32>>,
}

impl Data {
    /// Zeros for buffers that have none yet.
    fn fit(&mut self, recording: &Recording) {
        for desc in &recording.buffers[self.words.len()..] {
            self.words.push(vec![0; (desc.size_bytes / 4) as usize]);
        }
    }
}

/// Repacks matrices of random bytes into `data`.
fn fill_weights(
    weight: &LinearWeight,
    data: &mut Data,
    random: &mut Random,
) -> Result<(), EngineError> {
    for (index, matrix) in weight.matrices.iter().enumerate() {
        let mut repacker = Repacker::new(weight, index);
        let n_blocks = matrix.rows * (matrix.cols / matrix.quant.block_len());
        let bytes = random.blocks(matrix.quant, n_blocks);
        // Slices of odd lengths, as a network delivers them.
        for slice in bytes.chunks(1013) {
            repacker.push(slice, &mut |write| {
                let words = &mut data.words[write.buffer.0 as usize];
                let at = (write.offset_bytes / 4) as usize;
                for (word, bytes) in words[at..].iter_mut().zip(write.bytes.chunks_exact(4)) {
                    *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                }
            })?;
        }
        repacker.finish()?;
    }
    Ok(())
}

/// A bundle of random values.
fn fill_bundle(layout: ActLayout, random: &mut Random) -> Vec<u32> {
    let mut words = vec![0; (layout.size_bytes() / 4) as usize];
    for token in 0..layout.max_tokens as usize {
        for block in 0..layout.n_blocks() as usize {
            let values: Vec<f32> = (0..32).map(|_| random.float()).collect();
            let col = block * 32;
            let (scale, sum) = match layout.kind {
                ActKind::F32 => {
                    for (i, value) in values.iter().enumerate() {
                        words[token * layout.cols as usize + col + i] = value.to_bits();
                    }
                    (1.0, values.iter().sum())
                }
                ActKind::Q8 => {
                    let scale = 1.0 / 127.0;
                    let mut total = 0.0;
                    for (i, value) in values.iter().enumerate() {
                        let byte = (value * 127.0).round();
                        total += byte;
                        words[(token * layout.cols as usize + col + i) / 4] |=
                            u32::from(byte as i8 as u8) << (8 * (i % 4));
                    }
                    (scale, scale * total)
                }
            };
            let squares: f32 = values.iter().map(|value| value * value).sum();
            let at = layout.blocks_at() as usize + (token * layout.n_blocks() as usize + block) * 4;
            for (i, value) in [scale, sum, squares].into_iter().enumerate() {
                words[at + i] = value.to_bits();
            }
        }
    }
    words
}

fn random_floats(n: u32, random: &mut Random) -> Vec<u32> {
    (0..n).map(|_| random.float().to_bits()).collect()
}

/// Summing up in another order, and rounded exponentials.
const TOLERANCE: f32 = 3e-5;

impl LinearCase {
    /// The trial of this case.
    ///
    /// # Errors
    /// Where the case itself contradicts the planner's rules.
    pub fn trial(&self) -> Result<Trial, EngineError> {
        let mut random = Random::new(self.seed);
        let mut recording = Recording::default();
        let mut data = Data { words: Vec::new() };
        let matrices = self
            .matrices
            .iter()
            .enumerate()
            .map(|(index, &(quant, rows))| MatrixDesc {
                name: format!("matrix{index}"),
                quant,
                rows,
                cols: self.cols,
            })
            .collect();
        let weight = LinearWeight::plan(
            &mut recording,
            "weight",
            matrices,
            self.stacking,
            self.max_binding_bytes,
        )?;
        data.fit(&recording);
        fill_weights(&weight, &mut data, &mut random)?;

        let max_tokens = self.n_tokens.map_or(1, |n| n + 3);
        let layout = ActLayout { kind: self.act, cols: self.cols, max_tokens };
        let bundle = recording.buffer("bundle", BufferKind::Activation, layout.size_bytes());
        data.words.push(fill_bundle(layout, &mut random));
        let params = recording.buffer("params", BufferKind::Params, 16);
        data.words.push(vec![self.n_tokens.unwrap_or(1), 0, 0, 0]);
        let rows = weight.rows;
        let mut floats = |recording: &mut Recording, data: &mut Data, label, n: u32| {
            let id = recording.buffer(label, BufferKind::Activation, u64::from(n) * 4);
            data.words.push(random_floats(n, &mut random));
            id
        };
        let bias = self.has_bias.then(|| floats(&mut recording, &mut data, "bias", rows));
        let mut written = Vec::new();
        let mut next_of = |recording: &mut Recording, data: &mut Data, kind, norm_weight| {
            let layout = ActLayout { kind, cols: rows, max_tokens };
            let id = recording.buffer("next", BufferKind::Activation, layout.size_bytes());
            data.fit(recording);
            written.push((id, Written::Bundle(layout)));
            NextBundle { bundle: id, layout, norm_weight }
        };
        let (output, values) = match self.output {
            OutputCase::Plain => {
                let y = floats(&mut recording, &mut data, "y", rows * max_tokens);
                (Output::Plain { y, bias }, Some(y))
            }
            OutputCase::Residual(kind) => {
                let x = floats(&mut recording, &mut data, "x", rows * max_tokens);
                let norm = floats(&mut recording, &mut data, "norm", rows);
                let next = kind.map(|kind| next_of(&mut recording, &mut data, kind, Some(norm)));
                (Output::Residual { x, bias, next }, Some(x))
            }
            OutputCase::Activated(kind) => {
                let next = next_of(&mut recording, &mut data, kind, None);
                (Output::Activated { bias, next }, None)
            }
            OutputCase::Gated(gate, kind) => {
                let next = next_of(&mut recording, &mut data, kind, None);
                (Output::Gated { gate, next }, None)
            }
        };
        written.extend(values.map(|id| (id, Written::F32)));
        let choice = LinearChoice {
            act: self.act,
            one: self.shape,
            many: self.shape,
            gated_one: self.shape,
            gated_many: self.shape,
        };
        let tokens = match self.n_tokens {
            None => Tokens::One,
            Some(_) => Tokens::Many { max: max_tokens, params: Binding::from(params) },
        };
        let norm = self.has_norm.then_some(RmsNorm { epsilon: 1e-5 });
        let input = Input { bundle, layout, norm, token_from: None };
        linear(
            &mut recording,
            &choice,
            &Linear { label: "linear".to_owned(), weight: &weight, input, tokens, output },
        )?;
        Ok(Trial {
            title: format!(
                "linear {:?} {:?} ×{} act {:?} tokens {:?} {:?} norm {} bias {} {:?}",
                self.stacking,
                self.matrices,
                self.cols,
                self.act,
                self.n_tokens,
                self.output,
                self.has_norm,
                self.has_bias,
                self.shape
            ),
            recording,
            words: data.words,
            written,
            tolerance: TOLERANCE,
        })
    }
}

/// A look-up of a few tokens in a matrix of `rows × cols`, split by `max_binding_bytes`.
///
/// # Errors
/// Where the matrix cannot be laid out.
pub fn embed_trial(
    quant: QuantType,
    (rows, cols): (u32, u32),
    kind: ActKind,
    max_binding_bytes: u64,
    seed: u32,
) -> Result<Trial, EngineError> {
    let mut random = Random::new(seed);
    let mut recording = Recording::default();
    let mut data = Data { words: Vec::new() };
    let matrix = MatrixDesc { name: "embedding".to_owned(), quant, rows, cols };
    let weight = LinearWeight::plan(
        &mut recording,
        "embedding",
        vec![matrix],
        Stacking::Rows,
        max_binding_bytes,
    )?;
    data.fit(&recording);
    fill_weights(&weight, &mut data, &mut random)?;
    let (n_tokens, max_tokens) = (5, 6);
    let params = recording.buffer("params", BufferKind::Params, 16);
    data.words.push(vec![n_tokens, 0, 0, 0]);
    let token_ids = recording.buffer("token_ids", BufferKind::Params, u64::from(max_tokens) * 4);
    // The first and last rows, one between, and one that does not exist.
    data.words.push(vec![0, rows - 1, rows / 2, rows + 7, 1, 0]);
    let x = recording.buffer("x", BufferKind::Activation, u64::from(max_tokens * cols) * 4);
    data.fit(&recording);
    let norm_weight = recording.buffer("norm", BufferKind::Activation, u64::from(cols) * 4);
    data.words.push(random_floats(cols, &mut random));
    let layout = ActLayout { kind, cols, max_tokens };
    let bundle = recording.buffer("next", BufferKind::Activation, layout.size_bytes());
    data.fit(&recording);
    let next = NextBundle { bundle, layout, norm_weight: Some(norm_weight) };
    embed(
        &mut recording,
        &Embed {
            label: "embed".to_owned(),
            weight: &weight,
            scale: 1.5,
            max_tokens,
            params: params.into(),
            token_ids: token_ids.into(),
            x,
            next,
        },
    )?;
    Ok(Trial {
        title: format!("embed {quant:?} {rows}×{cols} {kind:?}"),
        recording,
        words: data.words,
        written: vec![(x, Written::F32), (bundle, Written::Bundle(layout))],
        tolerance: TOLERANCE,
    })
}

/// The shapes that a device can run, each with the number of tokens it is for.
fn shapes(subgroup_lanes: Option<u32>, dot4: bool) -> Vec<(Shape, Option<u32>)> {
    let plain =
        Shape { lanes: 32, rows_per_lane: 1, split: 8, tokens: 1, subgroup: false, dot4: false };
    let many = Shape { split: 2, tokens: 4, ..plain };
    let mut shapes = vec![(plain, None), (many, Some(6))];
    if dot4 {
        shapes.push((Shape { dot4: true, ..plain }, None));
        shapes.push((Shape { dot4: true, ..many }, Some(6)));
    }
    // Lanes of a workgroup need to be lanes of one subgroup.
    for lanes in [4, 8].into_iter().filter(|&lanes| subgroup_lanes.is_some_and(|n| lanes <= n)) {
        let one = Shape { lanes, rows_per_lane: 32 / lanes, split: 1, subgroup: true, ..plain };
        shapes.push((one, None));
        shapes.push((Shape { tokens: 4, ..one }, Some(6)));
        if dot4 {
            shapes.push((Shape { dot4: true, ..one }, None));
        }
    }
    shapes
}

/// Every variant of the linear kernels that a device can run, on small shapes with tails.
///
/// # Errors
/// Where a case contradicts the planner's rules: a bug.
pub fn linear_trials(subgroup_lanes: Option<u32>, dot4: bool) -> Result<Vec<Trial>, EngineError> {
    let mut trials = Vec::new();
    let mut seed = 0;
    for (shape, n_tokens) in shapes(subgroup_lanes, dot4) {
        for act in [ActKind::F32, ActKind::Q8] {
            if shape.dot4 && act == ActKind::F32 {
                continue;
            }
            for quant in QuantType::ALL {
                seed += 1;
                let case = LinearCase {
                    matrices: vec![(quant, 70), (QuantType::Q6K, 32)],
                    stacking: Stacking::Rows,
                    cols: 256,
                    act,
                    shape,
                    n_tokens,
                    has_norm: seed % 2 == 0,
                    has_bias: seed % 3 == 0,
                    output: OutputCase::Plain,
                    max_binding_bytes: 128 << 20,
                    seed,
                };
                trials.push(case.trial()?);
            }
            let outputs = [
                OutputCase::Residual(Some(act)),
                OutputCase::Residual(None),
                OutputCase::Gated(Gate::Silu, act),
                OutputCase::Gated(Gate::GeluTanh, act),
                OutputCase::Activated(act),
            ];
            for output in outputs {
                seed += 1;
                let is_gated = matches!(output, OutputCase::Gated(..));
                let case = LinearCase {
                    matrices: if is_gated {
                        vec![(QuantType::Q4_1, 96), (QuantType::Q5_0, 96)]
                    } else {
                        vec![(QuantType::Q4_0, 96)]
                    },
                    stacking: if is_gated { Stacking::Gated } else { Stacking::Rows },
                    // An odd number of blocks.
                    cols: 160,
                    act,
                    shape,
                    n_tokens,
                    has_norm: is_gated,
                    has_bias: !is_gated,
                    output,
                    // Splits the rows into two parts.
                    max_binding_bytes: 32 << 10,
                    seed,
                };
                trials.push(case.trial()?);
            }
        }
    }
    for quant in QuantType::ALL {
        for act in [ActKind::F32, ActKind::Q8] {
            seed += 1;
            trials.push(embed_trial(quant, (200, 256), act, 80 << 10, seed)?);
        }
    }
    Ok(trials)
}
