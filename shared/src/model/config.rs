//! Which numbers describe a model?

use crate::gguf::{Gguf, Metadata};

use super::Arch;
use super::ModelError;
use super::rope::RopeScaling;

/// A rotary embedding's numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Rope {
    pub base: f32,
    pub scaling: RopeScaling,
}

/// A decoder's shape and constants.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub arch: Arch,
    pub n_layers: usize,
    pub n_embd: u32,
    pub n_heads: u32,
    pub n_kv_heads: u32,
    pub head_dim: u32,
    pub n_ff: u32,
    pub n_vocab: u32,
    /// The longest sequence that the model was trained for.
    pub n_ctx_train: u32,
    pub norm_eps: f32,
    /// Dimensions of a head that are rotated, the first ones.
    pub rope_dim: u32,
    /// Of the layers that see the whole context.
    pub rope: Rope,
    /// Of the sliding-window layers.
    pub rope_local: Rope,
    /// Factors on the embedding and on Q·K.
    pub embedding_scale: f32,
    pub attn_scale: f32,
    /// Keys that a query of a sliding-window layer sees, its own among them.
    pub sliding_window: Option<u32>,
    /// Every `n`th layer sees the whole context, the others slide.
    pub sliding_pattern: usize,
    /// `cap · tanh(x / cap)` on Q·K and on the logits.
    pub attn_softcap: Option<f32>,
    pub final_softcap: Option<f32>,
}

/// The metadata of one architecture.
pub(super) struct Keys<'a> {
    pub metadata: &'a Metadata,
    pub prefix: &'static str,
}

impl Keys<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    pub(super) fn opt_u32(&self, name: &str) -> Result<Option<u32>, ModelError> {
        Ok(self.metadata.opt_u32(&self.key(name))?)
    }

    fn opt_f32(&self, name: &str) -> Result<Option<f32>, ModelError> {
        Ok(self.metadata.opt_f32(&self.key(name))?)
    }

    fn opt_str(&self, name: &str) -> Result<Option<String>, ModelError> {
        Ok(self.metadata.opt_str(&self.key(name))?.map(str::to_owned))
    }

    /// A required count from 1 to `max`.
    pub(super) fn count(&self, name: &str, max: u32) -> Result<u32, ModelError> {
        let count = self.metadata.u32(&self.key(name))?;
        self.in_range(name, count, max)
    }

    fn in_range(&self, name: &str, count: u32, max: u32) -> Result<u32, ModelError> {
        if (1..=max).contains(&count) {
            return Ok(count);
        }
        Err(ModelError::invalid(format!("{} is {count}, not 1 to {max}", self.key(name))))
    }

    /// A float that is a positive number where it stands.
    pub(super) fn opt_positive(&self, name: &str) -> Result<Option<f32>, ModelError> {
        match self.opt_f32(name)? {
            Some(value) if !(value.is_finite() && value > 0.0) => Err(ModelError::invalid(
                format!("{} is {value}, not a positive number", self.key(name)),
            )),
            value => Ok(value),
        }
    }
}

impl Config {
    /// Reads and checks the metadata.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for another architecture or a shape that no kernels
    /// take, [`ModelError::Invalid`] for missing or senseless values.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, ModelError> {
        let metadata = &gguf.metadata;
        let arch = Arch::from_name(metadata.str("general.architecture")?)?;
        let keys = Keys { metadata, prefix: arch.name() };
        let n_layers = keys.count("block_count", 1024)?;
        let n_embd = keys.count("embedding_length", 1 << 16)?;
        let n_heads = keys.count("attention.head_count", 1 << 10)?;
        let n_kv_heads = match keys.opt_u32("attention.head_count_kv")? {
            Some(n) => keys.in_range("attention.head_count_kv", n, n_heads)?,
            None => n_heads,
        };
        if n_heads % n_kv_heads != 0 {
            return Err(ModelError::invalid(format!(
                "{n_heads} heads cannot share {n_kv_heads} key-value heads"
            )));
        }
        let head_dim = match keys.opt_u32("attention.key_length")? {
            Some(n) => keys.in_range("attention.key_length", n, 256)?,
            None => n_embd / n_heads,
        };
        if let Some(value_dim) = keys.opt_u32("attention.value_length")?
            && value_dim != head_dim
        {
            return Err(ModelError::unsupported(format!(
                "value heads of {value_dim} beside key heads of {head_dim}"
            )));
        }
        if head_dim % 32 != 0 || head_dim > 256 {
            return Err(ModelError::unsupported(format!(
                "heads of {head_dim} (multiples of 32 up to 256 are)"
            )));
        }
        let n_ff = keys.count("feed_forward_length", 1 << 18)?;
        for (name, size) in [("embedding_length", n_embd), ("feed_forward_length", n_ff)] {
            if size % 32 != 0 {
                return Err(ModelError::unsupported(format!(
                    "{name} of {size}, not a multiple of 32"
                )));
            }
        }
        let n_ctx_train = keys.count("context_length", 1 << 24)?;
        let rope_dim = match keys.opt_u32("rope.dimension_count")? {
            Some(n) => keys.in_range("rope.dimension_count", n, head_dim)?,
            None => head_dim,
        };
        // Kernels rotate in vectors of four, pairs of which lie half the dimensions apart.
        if rope_dim % 8 != 0 {
            return Err(ModelError::invalid(format!("{rope_dim} rotated dimensions")));
        }
        let default_base = if arch == Arch::Gemma3 { 1e6 } else { 1e4 };
        let rope = Rope {
            base: keys.opt_positive("rope.freq_base")?.unwrap_or(default_base),
            scaling: rope_scaling(&keys, n_ctx_train)?,
        };
        let sliding = arch == Arch::Gemma3;
        let rope_local = Rope {
            base: keys.opt_positive("rope.local.freq_base")?.unwrap_or(1e4),
            scaling: RopeScaling::None,
        };
        // Gemma 3 27B alone scales by its width over its heads (llama.cpp, src/models/gemma3.cpp).
        let query_dim = if sliding && n_layers == 62 { n_embd / n_heads } else { head_dim };
        Ok(Self {
            arch,
            n_layers: n_layers as usize,
            n_embd,
            n_heads,
            n_kv_heads,
            head_dim,
            n_ff,
            n_vocab: n_vocab(gguf)?,
            n_ctx_train,
            norm_eps: keys.opt_positive("attention.layer_norm_rms_epsilon")?.unwrap_or(1e-6),
            rope_dim,
            rope_local: if sliding { rope_local } else { rope.clone() },
            rope,
            embedding_scale: if sliding { (n_embd as f32).sqrt() } else { 1.0 },
            attn_scale: 1.0 / (query_dim as f32).sqrt(),
            sliding_window: if sliding { keys.opt_u32("attention.sliding_window")? } else { None }
                .filter(|&window| window > 0),
            sliding_pattern: 6,
            attn_softcap: keys.opt_positive("attn_logit_softcapping")?,
            final_softcap: keys.opt_positive("final_logit_softcapping")?,
        })
    }

    /// Width of Q, and of the attention's output.
    pub fn q_dim(&self) -> u32 {
        self.n_heads * self.head_dim
    }

    /// Width of K, and of V.
    pub fn kv_dim(&self) -> u32 {
        self.n_kv_heads * self.head_dim
    }

    /// The window of a layer, if it slides.
    pub fn window(&self, layer: usize) -> Option<u32> {
        self.sliding_window.filter(|_| layer % self.sliding_pattern < self.sliding_pattern - 1)
    }
}

/// The embedding's rows: the vocabulary as the weights know it.
pub(super) fn n_vocab(gguf: &Gguf) -> Result<u32, ModelError> {
    let name = "token_embd.weight";
    let tensor = gguf
        .tensor(name)
        .ok_or_else(|| ModelError::invalid(format!("the tensor `{name}` is missing")))?;
    match tensor.dims.as_slice() {
        [_, rows] => u32::try_from(*rows).ok().filter(|&rows| (1..=1 << 24).contains(&rows)),
        _ => None,
    }
    .ok_or_else(|| ModelError::invalid(format!("`{name}` has the shape {:?}", tensor.dims)))
}

fn rope_scaling(keys: &Keys<'_>, n_ctx_train: u32) -> Result<RopeScaling, ModelError> {
    let factor = match keys.opt_positive("rope.scaling.factor")? {
        Some(factor) => Some(factor),
        None => keys.opt_positive("rope.scale_linear")?,
    };
    let kind = keys.opt_str("rope.scaling.type")?;
    match (kind.as_deref(), factor) {
        (Some("none"), _) | (None, None) => Ok(RopeScaling::None),
        (None | Some("linear"), Some(factor)) => Ok(RopeScaling::Linear { factor }),
        (Some("yarn"), Some(factor)) => Ok(RopeScaling::Yarn {
            factor,
            n_ctx_original: keys
                .opt_u32("rope.scaling.original_context_length")?
                .unwrap_or(n_ctx_train),
            attn_factor: keys.opt_positive("rope.scaling.attn_factor")?.unwrap_or(1.0),
        }),
        (Some(kind @ ("linear" | "yarn")), None) => {
            Err(ModelError::invalid(format!("RoPE scaling `{kind}` without a factor")))
        }
        (Some(kind), _) => Err(ModelError::unsupported(format!("RoPE scaling `{kind}`"))),
    }
}
