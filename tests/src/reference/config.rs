//! What does the reference need of a file's metadata?

use std::collections::HashMap;

use anyhow::Context;
use candle_core::quantized::gguf_file::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    Llama,
    Qwen2,
    Qwen3,
    Gemma3,
}

impl Arch {
    pub const ALL: [Self; 4] = [Self::Llama, Self::Qwen2, Self::Qwen3, Self::Gemma3];

    /// As GGUF names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Config {
    pub arch: Arch,
    pub n_layers: usize,
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
    pub norm_eps: f32,
    pub rope_base: f64,
    /// Of layers with a window.
    pub rope_base_sliding: f64,
    pub embedding_scale: f64,
    /// Keys that a query of a sliding layer sees, its own among them.
    sliding_window: Option<usize>,
}

/// Gemma 3: five sliding layers, then one that sees everything.
const SLIDING_PATTERN: usize = 6;

impl Config {
    pub(super) fn from_metadata(metadata: &HashMap<String, Value>) -> anyhow::Result<Self> {
        let name = metadata.get("general.architecture").context("no architecture")?.to_string()?;
        let arch = Arch::ALL
            .into_iter()
            .find(|arch| arch.name() == name)
            .with_context(|| format!("no reference for {name}"))?;
        let value = |key: &str| metadata.get(&format!("{name}.{key}"));
        let count = |key: &str| -> anyhow::Result<usize> {
            let value = value(key).with_context(|| format!("no {key}"))?;
            Ok(value.to_u32()? as usize)
        };
        let n_embd = count("embedding_length")?;
        let n_heads = count("attention.head_count")?;
        let is_gemma = arch == Arch::Gemma3;
        let base = value("rope.freq_base").map(Value::to_f32).transpose()?;
        let scaling = value("rope.scaling.type").map(Value::to_string).transpose()?;
        anyhow::ensure!(scaling.is_none(), "RoPE scaling {scaling:?} has no reference");
        Ok(Self {
            arch,
            n_layers: count("block_count")?,
            n_heads,
            n_kv_heads: count("attention.head_count_kv")?,
            head_dim: value("attention.key_length")
                .map_or(Ok(n_embd / n_heads), |dim| dim.to_u32().map(|dim| dim as usize))?,
            norm_eps: value("attention.layer_norm_rms_epsilon").context("no epsilon")?.to_f32()?,
            rope_base: base.map_or(if is_gemma { 1e6 } else { 1e4 }, f64::from),
            rope_base_sliding: 1e4,
            embedding_scale: if is_gemma { (n_embd as f64).sqrt() } else { 1.0 },
            sliding_window: is_gemma.then(|| count("attention.sliding_window")).transpose()?,
        })
    }

    pub(super) fn window(&self, layer: usize) -> Option<usize> {
        self.sliding_window.filter(|_| !(layer + 1).is_multiple_of(SLIDING_PATTERN))
    }
}
