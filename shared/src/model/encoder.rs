//! Which numbers describe an encoder of BERT's kind?

use crate::gguf::Gguf;

use super::ModelError;
use super::config::{Keys, n_vocab};

/// The name of BERT's and XLM-R's architecture in GGUF.
pub const ENCODER_ARCHITECTURE: &str = "bert";

/// How a text's rows become one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pooling {
    #[default]
    Mean,
    /// The first token's.
    Cls,
}

impl Pooling {
    /// llama.cpp's number of it.
    pub fn id(self) -> u32 {
        match self {
            Self::Mean => 1,
            Self::Cls => 2,
        }
    }
}

/// An encoder's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EncoderConfig {
    pub n_layers: usize,
    pub n_embd: usize,
    pub n_heads: usize,
    pub n_ff: usize,
    pub n_vocab: usize,
    /// Tokens that a text may have.
    pub n_ctx: usize,
    pub norm_eps: f32,
    pub pooling: Pooling,
}

impl EncoderConfig {
    /// Whether a file is an encoder's.
    pub fn is_in(gguf: &Gguf) -> bool {
        gguf.metadata.opt_str("general.architecture").ok().flatten() == Some(ENCODER_ARCHITECTURE)
    }

    /// Reads and checks the metadata.
    ///
    /// # Errors
    /// As [`EncoderConfig::checked`]; [`ModelError::Unsupported`] for another pooling,
    /// [`ModelError::Invalid`] for what is missing.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, ModelError> {
        let keys = Keys { metadata: &gguf.metadata, prefix: ENCODER_ARCHITECTURE };
        let count = |name: &str| Ok::<_, ModelError>(keys.count(name, 1 << 24)? as usize);
        Self {
            n_layers: count("block_count")?,
            n_embd: count("embedding_length")?,
            n_heads: count("attention.head_count")?,
            n_ff: count("feed_forward_length")?,
            n_vocab: n_vocab(gguf)? as usize,
            n_ctx: count("context_length")?,
            norm_eps: keys.opt_positive("attention.layer_norm_epsilon")?.unwrap_or(1e-12),
            pooling: match keys.opt_u32("pooling_type")? {
                None | Some(1) => Pooling::Mean,
                Some(2) => Pooling::Cls,
                Some(other) => {
                    let reason = format!("pooling of the type {other} (mean and CLS are)");
                    return Err(ModelError::unsupported(reason));
                }
            },
        }
        .checked()
    }

    /// # Errors
    /// What no kernels take, and what makes no sense.
    pub fn checked(self) -> Result<Self, ModelError> {
        let Self { n_layers, n_embd, n_heads, n_ff, n_vocab, n_ctx, norm_eps, .. } = self;
        let counts = [n_layers, n_embd, n_heads, n_ff, n_vocab, n_ctx];
        if counts.iter().any(|&n| n == 0 || n > 1 << 24) || n_layers > 1024 {
            return Err(ModelError::invalid(format!("an encoder of the shape {counts:?}")));
        }
        if !(norm_eps.is_finite() && norm_eps > 0.0) {
            return Err(ModelError::invalid(format!("a norm's epsilon of {norm_eps}")));
        }
        let head_dim = n_embd / n_heads;
        let is_taken = n_embd.is_multiple_of(n_heads)
            && head_dim.is_multiple_of(32)
            && (32..=256).contains(&head_dim)
            && n_ff.is_multiple_of(32);
        if !is_taken {
            return Err(ModelError::unsupported(format!(
                "an encoder of width {n_embd} with {n_heads} heads and {n_ff} between (heads of a \
                 multiple of 32 up to 256 are)"
            )));
        }
        Ok(self)
    }

    pub fn head_dim(&self) -> usize {
        self.n_embd / self.n_heads
    }
}
