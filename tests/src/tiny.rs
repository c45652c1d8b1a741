//! Models of a few hundred kilobytes with random weights: every architecture, every weight type.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use portico_shared::gguf::GgufWriter;
use portico_shared::sampling::uniform;

use crate::reference::Arch;

/// Every type that weights may have.
pub const WEIGHT_TYPES: [GgmlDType; 10] = [
    GgmlDType::F32,
    GgmlDType::F16,
    GgmlDType::Q4_0,
    GgmlDType::Q4_1,
    GgmlDType::Q5_0,
    GgmlDType::Q5_1,
    GgmlDType::Q8_0,
    GgmlDType::Q4K,
    GgmlDType::Q5K,
    GgmlDType::Q6K,
];

pub const N_VOCAB: u32 = 320;
/// Of the sliding layers: shorter than the tests' sequences.
pub const SLIDING_WINDOW: u32 = 9;

/// Shapes as in the real families: grouped queries everywhere; for gemma3 and qwen3 heads together
/// wider than the model. Rows are multiples of 256, as K-quants ask.
struct Shape {
    n_layers: u32,
    n_heads: u32,
    n_kv_heads: u32,
    head_dim: u32,
}

const N_EMBD: u32 = 256;
const N_FF: u32 = 512;

fn shape(arch: Arch) -> Shape {
    match arch {
        Arch::Llama => Shape { n_layers: 2, n_heads: 8, n_kv_heads: 2, head_dim: 32 },
        Arch::Qwen2 => Shape { n_layers: 2, n_heads: 4, n_kv_heads: 2, head_dim: 64 },
        Arch::Qwen3 => Shape { n_layers: 2, n_heads: 8, n_kv_heads: 4, head_dim: 64 },
        // The sixth layer sees everything.
        Arch::Gemma3 => Shape { n_layers: 7, n_heads: 4, n_kv_heads: 1, head_dim: 128 },
    }
}

/// A model file whose matrices all have the same type.
///
/// # Errors
/// What candle or the writer refuses.
pub fn gguf(arch: Arch, weight_type: GgmlDType, seed: u64) -> anyhow::Result<Vec<u8>> {
    mixed(arch, &[weight_type], seed)
}

/// A model file whose matrices take these types in turn, as real files mix them; gate and up have the
/// same.
///
/// # Errors
/// What candle or the writer refuses.
pub fn mixed(arch: Arch, weight_types: &[GgmlDType], seed: u64) -> anyhow::Result<Vec<u8>> {
    let shape = shape(arch);
    let name = arch.name();
    let key = |part: &str| format!("{name}.{part}");
    let mut writer = GgufWriter::new()
        .metadata("general.architecture", name.to_owned())
        // candle's qwen3 turns queries in this type: 0 is float32.
        .metadata("general.dtype", 0u32)
        .metadata(key("block_count"), shape.n_layers)
        .metadata(key("context_length"), 256u32)
        .metadata(key("embedding_length"), N_EMBD)
        .metadata(key("feed_forward_length"), N_FF)
        .metadata(key("attention.head_count"), shape.n_heads)
        .metadata(key("attention.head_count_kv"), shape.n_kv_heads)
        .metadata(key("attention.key_length"), shape.head_dim)
        .metadata(key("attention.value_length"), shape.head_dim)
        .metadata(key("attention.layer_norm_rms_epsilon"), 1e-5f32)
        .metadata(key("rope.dimension_count"), shape.head_dim)
        .metadata(key("rope.freq_base"), if arch == Arch::Gemma3 { 1e6f32 } else { 1e5f32 });
    if arch == Arch::Gemma3 {
        writer = writer.metadata(key("attention.sliding_window"), SLIDING_WINDOW);
    }

    let mut tensors = Tensors { writer, weight_types, n_matrices: 0, seed, n_tensors: 0 };
    // What adds to the residual is small beside it, as in GPT-2's initialisation (Radford et al.,
    // 2019) and in trained models.
    let residual_gain = 1.0 / (2.0 * shape.n_layers as f32).sqrt();
    let (q_dim, kv_dim) = (shape.n_heads * shape.head_dim, shape.n_kv_heads * shape.head_dim);
    // Tokens enter with unit scale; gemma3 multiplies by √n_embd itself.
    let embedding_gain = if arch == Arch::Gemma3 { 1.0 } else { (N_EMBD as f32).sqrt() };
    tensors.matrix("token_embd.weight", N_VOCAB, N_EMBD, embedding_gain)?;
    for layer in 0..shape.n_layers {
        let name = |part: &str| format!("blk.{layer}.{part}.weight");
        tensors.norm(&name("attn_norm"), N_EMBD)?;
        for (part, n_out) in [("attn_q", q_dim), ("attn_k", kv_dim), ("attn_v", kv_dim)] {
            tensors.matrix(&name(part), n_out, N_EMBD, 1.0)?;
            if arch == Arch::Qwen2 {
                tensors.bias(&format!("blk.{layer}.{part}.bias"), n_out)?;
            }
        }
        tensors.matrix(&name("attn_output"), N_EMBD, q_dim, residual_gain)?;
        if matches!(arch, Arch::Qwen3 | Arch::Gemma3) {
            tensors.norm(&name("attn_q_norm"), shape.head_dim)?;
            tensors.norm(&name("attn_k_norm"), shape.head_dim)?;
        }
        if arch == Arch::Gemma3 {
            // These decide what adds to the residual.
            for part in ["post_attention_norm", "post_ffw_norm"] {
                let (from, to) = (0.5 * residual_gain, 1.5 * residual_gain);
                tensors.vector(&name(part), N_EMBD, from, to)?;
            }
        }
        tensors.norm(&name("ffn_norm"), N_EMBD)?;
        tensors.matrix(&name("ffn_gate"), N_FF, N_EMBD, 1.0)?;
        tensors.matrix(&name("ffn_up"), N_FF, N_EMBD, 1.0)?;
        tensors.matrix(&name("ffn_down"), N_EMBD, N_FF, residual_gain)?;
    }
    tensors.norm("output_norm.weight", N_EMBD)?;
    // One with an output of its own; the others are tied.
    if arch == Arch::Qwen2 {
        tensors.matrix("output.weight", N_VOCAB, N_EMBD, 1.0)?;
    }
    Ok(tensors.writer.finish()?)
}

/// A sequence of random tokens.
pub fn tokens(n: usize, seed: u64) -> Vec<u32> {
    (0..n as u32).map(|at| (uniform(seed, at) * N_VOCAB as f32) as u32).collect()
}

struct Tensors<'a> {
    writer: GgufWriter,
    weight_types: &'a [GgmlDType],
    n_matrices: usize,
    seed: u64,
    n_tensors: u64,
}

impl Tensors<'_> {
    fn matrix(&mut self, name: &str, n_out: u32, n_in: u32, gain: f32) -> anyhow::Result<()> {
        // Uniform with variance 1 / n_in keeps the scale of what passes through.
        let reach = (3.0 / n_in as f32).sqrt() * gain;
        let values = self.random(n_out * n_in, -reach, reach);
        let tensor = Tensor::from_vec(values, (n_out as usize, n_in as usize), &Device::Cpu)?;
        if !name.contains("ffn_up") {
            self.n_matrices += 1;
        }
        let weight_type = self.weight_types[self.n_matrices % self.weight_types.len()];
        let blocks = QTensor::quantize(&tensor, weight_type)?.data()?.into_owned();
        self.add(name, &[n_in.into(), n_out.into()], weight_type, blocks);
        Ok(())
    }

    fn norm(&mut self, name: &str, n: u32) -> anyhow::Result<()> {
        self.vector(name, n, 0.5, 1.5)
    }

    fn bias(&mut self, name: &str, n: u32) -> anyhow::Result<()> {
        self.vector(name, n, -1.0, 1.0)
    }

    fn vector(&mut self, name: &str, n: u32, from: f32, to: f32) -> anyhow::Result<()> {
        let bytes = self.random(n, from, to).iter().flat_map(|v| v.to_le_bytes()).collect();
        self.add(name, &[n.into()], GgmlDType::F32, bytes);
        Ok(())
    }

    fn random(&mut self, n: u32, from: f32, to: f32) -> Vec<f32> {
        self.n_tensors += 1;
        let seed = self.seed ^ (self.n_tensors << 32);
        (0..n).map(|at| from + (to - from) * uniform(seed, at)).collect()
    }

    fn add(&mut self, name: &str, dims: &[u64], ggml_type: GgmlDType, data: Vec<u8>) {
        self.writer = std::mem::take(&mut self.writer).tensor(name, dims, ggml_type, data);
    }
}
