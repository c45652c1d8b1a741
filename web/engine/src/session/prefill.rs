//! How are many tokens put into the cache without blocking the device for long?

use std::ops::ControlFlow;

use super::{Engine, SLOT_BYTES};
use crate::EngineError;
use crate::gpu::{Copy, Gpu, Run, now_ms};
use crate::plan::ModelPlan;

/// What a prefill did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrefillStats {
    /// Tokens whose keys and values stood already.
    pub reused: usize,
    pub computed: usize,
}

/// How long a submit should last. A software device blocks no display, and small chunks waste it.
const TARGET_MS: f64 = 80.0;
const SOFTWARE_TARGET_MS: f64 = 4000.0;
/// Chunks are multiples of this many tokens (but for the last one).
const CHUNK_STEP: u32 = 16;

/// Tokens of the first chunk, before anything was measured.
pub(super) fn first_chunk(gpu: &Gpu, plan: &ModelPlan) -> u32 {
    let first = if gpu.caps().is_software { 64 } else { CHUNK_STEP };
    first.min(plan.max_tokens)
}

/// The next chunk after one of `n_tokens` took `ms`: towards the target, at most doubled.
fn next_chunk(n_tokens: u32, ms: f64, target_ms: f64, max_tokens: u32) -> u32 {
    let fitting = f64::from(n_tokens) * target_ms / ms.max(0.1);
    let doubled = f64::from(n_tokens.max(CHUNK_STEP) * 2);
    let steps = (fitting.min(doubled) / f64::from(CHUNK_STEP)).floor() as u32;
    (steps.max(1) * CHUNK_STEP).min(max_tokens)
}

impl Engine {
    /// Makes `tokens` the sequence in the cache. What it has in common with the one that stands is
    /// reused; the rest is computed in chunks whose size follows the measured time, so that a submit
    /// lasts about 100 ms or less. `progress(done, total)` is called before the first and after each
    /// chunk with the number of tokens that stand; when it breaks, what stands stays.
    ///
    /// # Errors
    /// [`EngineError::ContextFull`], [`EngineError::InvalidArgument`] for an empty sequence or a
    /// token beyond the vocabulary, [`EngineError::Cancelled`], [`EngineError::DeviceLost`].
    pub async fn prefill(
        &mut self,
        tokens: &[u32],
        mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<PrefillStats, EngineError> {
        if tokens.is_empty() {
            return Err(EngineError::InvalidArgument { reason: "an empty sequence".to_owned() });
        }
        self.check_tokens(tokens, tokens.len())?;
        self.settle().await?;
        let reused = self.keep_prefix(tokens);
        let mut report = |done: usize| match progress(done, tokens.len()) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(EngineError::Cancelled),
        };
        report(reused)?;
        if tokens.len() - reused > 1 {
            // Not within a measured chunk.
            self.complete().await?;
        }
        while self.tokens.len() < tokens.len() {
            let done = self.tokens.len();
            let n = (tokens.len() - done).min(self.chunk as usize);
            let chunk = &tokens[done..done + n];
            let is_last = done + n == tokens.len();
            let start_ms = now_ms();
            self.submit_chunk(chunk, is_last).await?;
            if n as u32 == self.chunk {
                let software = self.gpu.caps().is_software;
                let target_ms = if software { SOFTWARE_TARGET_MS } else { TARGET_MS };
                let ms = now_ms() - start_ms;
                self.chunk = next_chunk(self.chunk, ms, target_ms, self.plan.max_tokens);
            }
            report(done + n)?;
        }
        Ok(PrefillStats { reused, computed: tokens.len() - reused })
    }

    /// Cuts what stands down to what it has in common with `tokens`, and leaves at least one token
    /// to compute unless the logits of the last one are there.
    fn keep_prefix(&mut self, tokens: &[u32]) -> usize {
        let common = self.tokens[..self.n_computed]
            .iter()
            .zip(tokens)
            .take_while(|(standing, wanted)| standing == wanted)
            .count();
        let is_whole = common == tokens.len() && common == self.tokens.len() && self.has_logits;
        if is_whole {
            return common;
        }
        let reused = common.min(tokens.len() - 1);
        self.tokens.truncate(reused);
        self.n_computed = reused;
        self.has_logits = false;
        reused
    }

    /// Computes tokens at the end of what stands and waits for them.
    pub(super) async fn submit_chunk(
        &mut self,
        chunk: &[u32],
        with_logits: bool,
    ) -> Result<(), EngineError> {
        let n_tokens = chunk.len() as u32;
        let position = self.tokens.len() as u32;
        if n_tokens == 1 {
            self.complete_for(position + 1).await?;
        } else {
            self.complete().await?;
        }
        self.write_inputs(chunk, position);
        let body = if n_tokens == 1 {
            Run::whole(self.one(position + 1)?)
        } else {
            Run { program: &self.more()?.many, n_tokens, max_tokens: self.plan.max_tokens }
        };
        let runs = [body, Run::whole(&self.programs.head)];
        let runs = &runs[..if with_logits { 2 } else { 1 }];
        // Nothing is read from the copy: its arrival says that the chunk is done.
        let copy =
            Copy { buffer: self.plan.sampled, offset_bytes: 0, size_bytes: SLOT_BYTES, slot: 0 };
        let pending = self.executor.submit(runs, &self.buffers, &self.staging, Some(copy));
        if let Some(pending) = pending {
            self.staging.wait(pending, |_| ()).await?;
        }
        self.tokens.extend_from_slice(chunk);
        self.n_computed = self.tokens.len();
        self.has_logits = with_logits;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_follow_the_measured_time() {
        assert_eq!(next_chunk(16, 8.0, 80.0, 256), 32);
        assert_eq!(next_chunk(128, 40.0, 80.0, 256), 256);
        assert_eq!(next_chunk(128, 160.0, 80.0, 256), 64);
        assert_eq!(next_chunk(16, 900.0, 80.0, 256), 16);
        assert_eq!(next_chunk(256, 0.0, 80.0, 256), 256);
    }
}
