//! What would the model say in plain float32? A forward pass over whole sequences on candle's
//! tensors, with weights dequantised as candle does it, and nothing clever in it.
//!
//! candle-transformers' quantised models multiply quantised weights with 8-bit activations, so they
//! are no float32 reference themselves; over float32 weights they compute what stands here, which
//! `tests/reference.rs` checks for llama, qwen2 and qwen3. Their quantised gemma3 takes SiLU for
//! GELU: there the plain one is the model to agree with.

mod config;

use std::io::{Read, Seek, SeekFrom};

use anyhow::Context;
use candle_core::quantized::gguf_file::Content;
use candle_core::{D, DType, Device, Tensor};

pub use config::{Arch, Config};

/// In which numbers the inputs of matrix products are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activations {
    F32,
    /// Rounded to 8 bits in blocks of 32 with one scale, ggml's Q8_0: what candle's quantised
    /// products, llama.cpp's and the engine's int8 path do. Everything else stays float32.
    Q8,
}

/// A model in float32.
pub struct FloatModel {
    pub config: Config,
    /// `[n_vocab, n_embd]`
    embedding: Tensor,
    layers: Vec<Layer>,
    norm: Tensor,
    /// `[n_vocab, n_embd]`
    output: Tensor,
    activations: Activations,
    /// `[n_ctx, rope_dim / 2]` of layers that see everything, and of those that slide.
    rope: RopeTables,
}

struct Layer {
    attn_norm: Tensor,
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    /// Over each head's query and key.
    qk_norm: Option<(Tensor, Tensor)>,
    post_attn_norm: Option<Tensor>,
    ffn_norm: Tensor,
    gate: Linear,
    up: Linear,
    down: Linear,
    post_ffn_norm: Option<Tensor>,
    window: Option<usize>,
}

struct Linear {
    /// `[n_out, n_in]`
    weight: Tensor,
    bias: Option<Tensor>,
}

struct RopeTables {
    whole: (Tensor, Tensor),
    sliding: (Tensor, Tensor),
}

impl Linear {
    /// `[n, n_in]` → `[n, n_out]`
    fn forward(&self, x: &Tensor, activations: Activations) -> candle_core::Result<Tensor> {
        let y = activations.of(x)?.matmul(&self.weight.t()?)?;
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}

impl Activations {
    /// `[n, n_in]`, `n_in` a multiple of 32.
    fn of(self, x: &Tensor) -> candle_core::Result<Tensor> {
        if self == Self::F32 {
            return Ok(x.clone());
        }
        let (n, n_in) = x.dims2()?;
        let blocks = x.contiguous()?.reshape((n, n_in / 32, 32))?;
        let scale = (blocks.abs()?.max_keepdim(D::Minus1)? / 127.0)?.maximum(1e-30)?;
        let rounded = blocks.broadcast_div(&scale)?.round()?;
        rounded.broadcast_mul(&scale)?.reshape((n, n_in))
    }
}

impl FloatModel {
    /// The same model with other activations.
    #[must_use]
    pub fn with_activations(self, activations: Activations) -> Self {
        Self { activations, ..self }
    }

    /// Reads a GGUF file with candle's own reader and dequantises every tensor. Sequences of up to
    /// `n_ctx` tokens can be run.
    ///
    /// # Errors
    /// What is missing in the file.
    pub fn load<R: Read + Seek>(file: &mut R, n_ctx: usize) -> anyhow::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let content = Content::read(file)?;
        let config = Config::from_metadata(&content.metadata)?;
        let device = Device::Cpu;
        let mut tensor = |name: &str| -> anyhow::Result<Option<Tensor>> {
            if !content.tensor_infos.contains_key(name) {
                return Ok(None);
            }
            let tensor = content.tensor(file, name, &device)?;
            Ok(Some(tensor.dequantize(&device)?.to_dtype(DType::F32)?))
        };
        let mut required = |name: &str| tensor(name)?.with_context(|| format!("no tensor {name}"));

        let embedding = required("token_embd.weight")?;
        let norm = required("output_norm.weight")?;
        let mut layers = Vec::with_capacity(config.n_layers);
        for index in 0..config.n_layers {
            let name = |part: &str| format!("blk.{index}.{part}.weight");
            let mut linear = |part: &str, has_bias: bool| -> anyhow::Result<Linear> {
                let weight = required(&name(part))?;
                let bias =
                    has_bias.then(|| required(&format!("blk.{index}.{part}.bias"))).transpose()?;
                Ok(Linear { weight, bias })
            };
            let has_bias = config.arch == Arch::Qwen2;
            let (q, k, v) = (
                linear("attn_q", has_bias)?,
                linear("attn_k", has_bias)?,
                linear("attn_v", has_bias)?,
            );
            let (o, gate) = (linear("attn_output", false)?, linear("ffn_gate", false)?);
            let (up, down) = (linear("ffn_up", false)?, linear("ffn_down", false)?);
            let qk_norm = match config.arch {
                Arch::Qwen3 | Arch::Gemma3 => {
                    Some((required(&name("attn_q_norm"))?, required(&name("attn_k_norm"))?))
                }
                Arch::Llama | Arch::Qwen2 => None,
            };
            let is_gemma = config.arch == Arch::Gemma3;
            let mut post_norm = |part: &str| is_gemma.then(|| required(&name(part))).transpose();
            let post_attn_norm = post_norm("post_attention_norm")?;
            let post_ffn_norm = post_norm("post_ffw_norm")?;
            layers.push(Layer {
                attn_norm: required(&name("attn_norm"))?,
                q,
                k,
                v,
                o,
                qk_norm,
                post_attn_norm,
                ffn_norm: required(&name("ffn_norm"))?,
                gate,
                up,
                down,
                post_ffn_norm,
                window: config.window(index),
            });
        }
        let freq_factors = match tensor("rope_freqs.weight")? {
            Some(factors) => Some(factors.to_vec1::<f32>()?),
            None => None,
        };
        let output = tensor("output.weight")?.unwrap_or_else(|| embedding.clone());
        let rope = RopeTables {
            whole: rope_table(&config, config.rope_base, n_ctx, freq_factors.as_deref())?,
            sliding: rope_table(&config, config.rope_base_sliding, n_ctx, None)?,
        };
        let activations = Activations::F32;
        Ok(Self { config, embedding, layers, norm, output, activations, rope })
    }

    /// The last layer's normed output for each token, `[n, n_embd]`.
    ///
    /// # Errors
    /// A token outside of the vocabulary or more of them than `n_ctx`.
    pub fn hidden(&self, tokens: &[u32]) -> anyhow::Result<Tensor> {
        let config = &self.config;
        let n = tokens.len();
        let ids = Tensor::new(tokens, &Device::Cpu)?;
        let mut x = (self.embedding.index_select(&ids, 0)? * config.embedding_scale)?;
        for layer in &self.layers {
            let normed = self.normed(&x, &layer.attn_norm)?;
            let attended = self.attend(layer, &normed, n)?;
            x = (x + self.post_normed(attended, layer.post_attn_norm.as_ref())?)?;

            let normed = self.normed(&x, &layer.ffn_norm)?;
            let gate = layer.gate.forward(&normed, self.activations)?;
            let activated = match config.arch {
                Arch::Gemma3 => gate.gelu()?,
                Arch::Llama | Arch::Qwen2 | Arch::Qwen3 => gate.silu()?,
            };
            let fed = layer.down.forward(
                &(activated * layer.up.forward(&normed, self.activations)?)?,
                self.activations,
            )?;
            x = (x + self.post_normed(fed, layer.post_ffn_norm.as_ref())?)?;
        }
        Ok(self.normed(&x, &self.norm)?)
    }

    /// Logits for rows of [`FloatModel::hidden`], one `[n_vocab]` each.
    ///
    /// # Errors
    /// Rows outside of `hidden`.
    pub fn logits(
        &self,
        hidden: &Tensor,
        rows: std::ops::Range<usize>,
    ) -> anyhow::Result<Vec<Vec<f32>>> {
        let hidden = hidden.narrow(0, rows.start, rows.len())?;
        Ok(self.activations.of(&hidden)?.matmul(&self.output.t()?)?.to_vec2()?)
    }

    /// Calls `each(position, logits)` for every token of a sequence, holding few rows at a time.
    ///
    /// # Errors
    /// As [`FloatModel::hidden`].
    pub fn for_each_position(
        &self,
        tokens: &[u32],
        mut each: impl FnMut(usize, &[f32]),
    ) -> anyhow::Result<()> {
        const ROWS: usize = 64;
        let hidden = self.hidden(tokens)?;
        for start in (0..tokens.len()).step_by(ROWS) {
            let rows = start..(start + ROWS).min(tokens.len());
            for (row, logits) in self.logits(&hidden, rows)?.iter().enumerate() {
                each(start + row, logits);
            }
        }
        Ok(())
    }

    /// Root-mean-square norm over the last axis.
    fn normed(&self, x: &Tensor, weight: &Tensor) -> candle_core::Result<Tensor> {
        let mean_square = x.sqr()?.mean_keepdim(D::Minus1)?;
        let scale = (mean_square + f64::from(self.config.norm_eps))?.sqrt()?;
        x.broadcast_div(&scale)?.broadcast_mul(weight)
    }

    fn post_normed(&self, x: Tensor, weight: Option<&Tensor>) -> candle_core::Result<Tensor> {
        match weight {
            Some(weight) => self.normed(&x, weight),
            None => Ok(x),
        }
    }

    /// Causal attention of `n` tokens over themselves, `[n, n_embd]` → `[n, n_embd]`.
    fn attend(&self, layer: &Layer, x: &Tensor, n: usize) -> candle_core::Result<Tensor> {
        let config = &self.config;
        let (n_heads, n_kv_heads, dim) = (config.n_heads, config.n_kv_heads, config.head_dim);
        // [n, heads · dim] → [heads, n, dim]
        let split =
            |y: Tensor, heads: usize| y.reshape((n, heads, dim))?.transpose(0, 1)?.contiguous();
        let mut q = split(layer.q.forward(x, self.activations)?, n_heads)?;
        let mut k = split(layer.k.forward(x, self.activations)?, n_kv_heads)?;
        let v = split(layer.v.forward(x, self.activations)?, n_kv_heads)?;
        if let Some((q_norm, k_norm)) = &layer.qk_norm {
            q = self.normed(&q, q_norm)?;
            k = self.normed(&k, k_norm)?;
        }
        let (cos, sin) = if layer.window.is_some() { &self.rope.sliding } else { &self.rope.whole };
        let (cos, sin) = (cos.narrow(0, 0, n)?, sin.narrow(0, 0, n)?);
        let turned = |y: Tensor| match config.arch {
            Arch::Llama => turn_neighbours(&y, &cos, &sin),
            Arch::Qwen2 | Arch::Qwen3 | Arch::Gemma3 => turn_halves(&y, &cos, &sin),
        };
        let (q, k) = (turned(q)?, turned(k)?);
        // Neighbouring query heads share a key-value head.
        let group = n_heads / n_kv_heads;
        let shared = |y: &Tensor| {
            let wide = y.unsqueeze(1)?.expand((n_kv_heads, group, n, dim))?;
            wide.contiguous()?.reshape((n_heads, n, dim))
        };
        let (k, v) = (shared(&k)?, shared(&v)?);
        let scores = (q.matmul(&k.t()?)? * (1.0 / (dim as f64).sqrt()))?;
        let weights = softmax(&scores.broadcast_add(&mask(n, layer.window)?)?)?;
        let joined = weights.matmul(&v)?.transpose(0, 1)?.reshape((n, n_heads * dim))?;
        layer.o.forward(&joined, self.activations)
    }
}

/// Over the last axis.
fn softmax(x: &Tensor) -> candle_core::Result<Tensor> {
    let weights = x.broadcast_sub(&x.max_keepdim(D::Minus1)?)?.exp()?;
    weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)
}

/// Turns the pairs `(a, b)` by angles whose cosines and sines are given.
fn turn(
    a: &Tensor,
    b: &Tensor,
    cos: &Tensor,
    sin: &Tensor,
) -> candle_core::Result<(Tensor, Tensor)> {
    let x = (a.broadcast_mul(cos)? - b.broadcast_mul(sin)?)?;
    let y = (a.broadcast_mul(sin)? + b.broadcast_mul(cos)?)?;
    Ok((x, y))
}

/// RoPE over pairs `(2i, 2i + 1)`: `[heads, n, dim]`, angles `[n, dim / 2]`.
fn turn_neighbours(y: &Tensor, cos: &Tensor, sin: &Tensor) -> candle_core::Result<Tensor> {
    let (heads, n, dim) = y.dims3()?;
    let pairs = y.reshape((heads, n, dim / 2, 2))?;
    let (a, b) = (pairs.narrow(3, 0, 1)?.squeeze(3)?, pairs.narrow(3, 1, 1)?.squeeze(3)?);
    let (a, b) = turn(&a, &b, cos, sin)?;
    Tensor::stack(&[a, b], 3)?.reshape((heads, n, dim))
}

/// RoPE over pairs `(i, i + dim / 2)`.
fn turn_halves(y: &Tensor, cos: &Tensor, sin: &Tensor) -> candle_core::Result<Tensor> {
    let half = y.dim(2)? / 2;
    let (a, b) = turn(&y.narrow(2, 0, half)?, &y.narrow(2, half, half)?, cos, sin)?;
    Tensor::cat(&[a, b], 2)
}

/// `[n, n]`: 0 where query `i` sees key `j`, −∞ elsewhere. A window counts the query's own key.
fn mask(n: usize, window: Option<usize>) -> candle_core::Result<Tensor> {
    let sees = |i: usize, j: usize| j <= i && window.is_none_or(|window| i - j < window);
    let mask: Vec<f32> =
        (0..n * n).map(|at| if sees(at / n, at % n) { 0.0 } else { f32::NEG_INFINITY }).collect();
    Tensor::from_vec(mask, (n, n), &Device::Cpu)
}

/// Cosine and sine, `[n_ctx, head_dim / 2]` each, by angles in f64.
fn rope_table(
    config: &Config,
    base: f64,
    n_ctx: usize,
    freq_factors: Option<&[f32]>,
) -> candle_core::Result<(Tensor, Tensor)> {
    let n_pairs = config.head_dim / 2;
    let angle = |position: usize, pair: usize| {
        let factor = freq_factors.map_or(1.0, |factors| f64::from(factors[pair]));
        position as f64 * base.powf(-2.0 * pair as f64 / config.head_dim as f64) / factor
    };
    let table = |value: fn(f64) -> f64| {
        let values: Vec<f32> = (0..n_ctx * n_pairs)
            .map(|at| value(angle(at / n_pairs, at % n_pairs)) as f32)
            .collect();
        Tensor::from_vec(values, (n_ctx, n_pairs), &Device::Cpu)
    };
    Ok((table(f64::cos)?, table(f64::sin)?))
}

/// `ln Σ exp(logit)` in f64.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    largest + logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum::<f64>().ln()
}

/// The largest logit's token and its distance to the runner-up.
///
/// # Panics
/// With fewer than two logits.
pub fn top_and_gap(logits: &[f32]) -> (u32, f32) {
    let top = portico_shared::sampling::top_candidates(logits, 2);
    (top[0].id, top[0].logit - top[1].logit)
}
