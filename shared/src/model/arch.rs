//! In what do the architectures differ?

use super::ModelError;
use super::RopeStyle;

/// An architecture by its name in GGUF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    Llama,
    Qwen2,
    Qwen3,
    Gemma3,
}

/// The function between gate and up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Silu,
    /// The tanh approximation.
    Gelu,
}

impl Arch {
    /// # Errors
    /// [`ModelError::Unsupported`] with the name.
    pub fn from_name(name: &str) -> Result<Self, ModelError> {
        match name {
            "llama" => Ok(Self::Llama),
            "qwen2" => Ok(Self::Qwen2),
            "qwen3" => Ok(Self::Qwen3),
            "gemma3" => Ok(Self::Gemma3),
            _ => Err(ModelError::unsupported(format!(
                "the architecture `{name}` (Portico runs llama, qwen2, qwen3 and gemma3)"
            ))),
        }
    }

    /// The prefix of the architecture's metadata keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
        }
    }

    /// llama's converter permutes Q and K so that pairs are neighbours; the others keep the halves.
    pub fn rope_style(self) -> RopeStyle {
        match self {
            Self::Llama => RopeStyle::Interleaved,
            Self::Qwen2 | Self::Qwen3 | Self::Gemma3 => RopeStyle::Neox,
        }
    }

    pub fn activation(self) -> Activation {
        match self {
            Self::Gemma3 => Activation::Gelu,
            Self::Llama | Self::Qwen2 | Self::Qwen3 => Activation::Silu,
        }
    }

    /// RMS norms over each head's query and key.
    pub fn has_qk_norm(self) -> bool {
        matches!(self, Self::Qwen3 | Self::Gemma3)
    }

    /// Norms behind attention and feed-forward, before the residual is added.
    pub fn has_post_norms(self) -> bool {
        self == Self::Gemma3
    }
}
