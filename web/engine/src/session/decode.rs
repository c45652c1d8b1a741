//! How does the GPU choose tokens and feed them to itself while the CPU reads earlier ones?

use std::collections::VecDeque;

use portico_shared::sampling::{GPU_TOP_K_MAX, GpuSampling};

use super::{Engine, N_SLOTS, SLOT_BYTES};
use crate::EngineError;
use crate::gpu::{Copy, Pending, Run};
use crate::plan::SAMPLING_WORDS;

/// A running decode.
pub(super) struct Decode {
    sampling: [u32; SAMPLING_WORDS],
    /// Submits under way, oldest first.
    pending: VecDeque<Pending>,
    /// The position that the next submit's token takes; None before the first.
    next_position: Option<u32>,
    next_slot: usize,
}

impl Decode {
    pub fn into_pending(self) -> impl Iterator<Item = Pending> {
        self.pending.into_iter()
    }
}

/// The words of `kernels/sample_choose.wgsl`.
fn sampling_words(sampling: GpuSampling) -> Result<[u32; SAMPLING_WORDS], EngineError> {
    match sampling {
        GpuSampling::Greedy => Ok([1, 1f32.to_bits(), 1f32.to_bits(), 0, 0, 0, 0, 0]),
        GpuSampling::TopKTopP { temperature, top_k, top_p, min_p, seed } => {
            let is_sound = temperature > 0.0
                && temperature.is_finite()
                && (1..=GPU_TOP_K_MAX).contains(&top_k)
                && (0.0..=1.0).contains(&top_p)
                && (0.0..=1.0).contains(&min_p);
            if !is_sound {
                return Err(EngineError::InvalidArgument { reason: format!("{sampling:?}") });
            }
            Ok([
                top_k,
                temperature.to_bits(),
                top_p.to_bits(),
                min_p.to_bits(),
                seed as u32,
                (seed >> 32) as u32,
                0,
                0,
            ])
        }
    }
}

impl Engine {
    /// Lets the GPU choose the next tokens and feed them to itself, from what stands.
    ///
    /// # Errors
    /// [`EngineError::InvalidArgument`] while nothing stands or for a sampling out of range.
    pub fn start_decode(&mut self, sampling: GpuSampling) -> Result<(), EngineError> {
        if self.tokens.is_empty() {
            return Err(EngineError::InvalidArgument { reason: "no token stands".to_owned() });
        }
        let sampling = sampling_words(sampling)?;
        self.rewind(self.tokens.len());
        self.decode =
            Some(Decode { sampling, pending: VecDeque::new(), next_position: None, next_slot: 0 });
        Ok(())
    }

    /// The next token; it is appended to [`Engine::tokens`]. The GPU runs a few tokens ahead, so
    /// that a caller that stops simply no longer asks.
    ///
    /// # Errors
    /// [`EngineError::ContextFull`], [`EngineError::DeviceLost`], [`EngineError::InvalidArgument`]
    /// before [`Engine::start_decode`].
    pub async fn next_token(&mut self) -> Result<u32, EngineError> {
        self.gpu.check()?;
        let Some(mut decode) = self.decode.take() else {
            return Err(EngineError::InvalidArgument {
                reason: "no decode was started".to_owned(),
            });
        };
        if decode.next_position.is_none() {
            self.complete().await?;
            self.settle().await?;
            self.make_logits().await?;
            let n_tokens = self.tokens.len() as u32;
            self.write_words(self.plan.sampling, &decode.sampling);
            // As if the last token had just been computed.
            self.write_words(self.plan.params, &[1, 0, n_tokens - 1, 0]);
            self.submit_sample(&mut decode, n_tokens)?;
        }
        while decode.pending.len() < N_SLOTS
            && let Some(position) = decode.next_position
            && position < self.n_ctx()
        {
            self.submit_sample(&mut decode, position)?;
        }
        let Some(pending) = decode.pending.pop_front() else {
            let n_ctx = self.n_ctx();
            return Err(EngineError::ContextFull { n_ctx, needed: n_ctx as usize + 1 });
        };
        self.has_logits = false;
        let token = self
            .staging
            .wait(pending, |bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .await?;
        if token >= self.n_vocab() {
            return Err(EngineError::internal("no logit is a number: no token can be chosen"));
        }
        self.tokens.push(token);
        // Its own submit follows, unless the context is full.
        let n_submitted = decode.next_position.map_or(0, |position| position as usize - 1);
        self.n_computed = self.tokens.len().min(n_submitted);
        self.decode = Some(decode);
        Ok(token)
    }

    /// One submit: computes the newest token (but for the first submit, whose logits are there) and
    /// chooses the one at `position`.
    fn submit_sample(&self, decode: &mut Decode, position: u32) -> Result<(), EngineError> {
        let runs = [
            Run::whole(self.one(position)?),
            Run::whole(&self.programs.head),
            Run::whole(&self.more()?.sample),
        ];
        let runs = &runs[if decode.next_position.is_none() { 2 } else { 0 }..];
        let copy = Copy {
            buffer: self.plan.sampled,
            offset_bytes: 0,
            size_bytes: SLOT_BYTES,
            slot: decode.next_slot,
        };
        decode.pending.extend(self.executor.submit(runs, &self.buffers, &self.staging, Some(copy)));
        decode.next_slot = (decode.next_slot + 1) % N_SLOTS;
        decode.next_position = Some(position + 1);
        Ok(())
    }
}
