//! How likely did the model find each token of a given sequence?

use portico_shared::sampling::score_token;

use super::{Engine, Scored};
use crate::EngineError;
use crate::gpu::{Copy, Program, Run, Staging};
use crate::plan::head_many;
use crate::record::{BufferId, BufferKind};

/// Tokens whose logits are read at once.
const ROWS: usize = 32;

/// Made at the first call: most engines never score.
pub(super) struct Scorer {
    logits: BufferId,
    head: Program,
    staging: Staging,
}

impl Engine {
    /// Scores each token of a sequence given those before it; the first has no score, so that one
    /// less than `tokens.len()` come back. The sequence stands in the cache afterwards.
    ///
    /// # Errors
    /// As [`Engine::prefill`].
    pub async fn score(
        &mut self,
        tokens: &[u32],
        n_top: usize,
    ) -> Result<Vec<Scored>, EngineError> {
        if tokens.is_empty() {
            return Err(EngineError::InvalidArgument { reason: "an empty sequence".to_owned() });
        }
        self.check_tokens(tokens, tokens.len())?;
        self.settle().await?;
        self.rewind(0);
        let scorer = match self.scorer.take() {
            Some(scorer) => scorer,
            None => self.make_scorer().await?,
        };
        let scored = self.score_with(&scorer, tokens, n_top).await;
        self.scorer = Some(scorer);
        scored
    }

    async fn make_scorer(&mut self) -> Result<Scorer, EngineError> {
        let size_bytes = ROWS as u64 * u64::from(self.n_vocab()) * 4;
        let caps = self.gpu.caps();
        if size_bytes > caps.max_binding_bytes.min(caps.max_buffer_bytes) {
            return Err(EngineError::OutOfMemory { needed_bytes: size_bytes });
        }
        let logits = self.plan.recording.buffer("logits.scored", BufferKind::Output, size_bytes);
        if let Err(error) = self.buffers.extend(&self.plan.recording.buffers).await {
            self.plan.recording.buffers.pop();
            return Err(error);
        }
        let head = self.executor.compile(&self.buffers, &head_many(&self.plan, logits)?).await?;
        Ok(Scorer { logits, head, staging: Staging::new(&self.gpu, 1, size_bytes).await? })
    }

    async fn score_with(
        &mut self,
        scorer: &Scorer,
        tokens: &[u32],
        n_top: usize,
    ) -> Result<Vec<Scored>, EngineError> {
        let n_vocab = self.n_vocab() as usize;
        let mut scored = Vec::with_capacity(tokens.len() - 1);
        for chunk in tokens.chunks(ROWS.min(self.plan.max_tokens as usize)) {
            let first = self.tokens.len();
            self.submit_chunk(chunk, false).await?;
            let run = Run {
                program: &scorer.head,
                n_tokens: chunk.len() as u32,
                max_tokens: self.plan.max_tokens,
            };
            let copy = Copy {
                buffer: scorer.logits,
                offset_bytes: 0,
                size_bytes: (chunk.len() * n_vocab) as u64 * 4,
                slot: 0,
            };
            let pending = self.executor.submit(&[run], &self.buffers, &scorer.staging, Some(copy));
            let Some(pending) = pending else { continue };
            let mut logits: Vec<f32> =
                scorer.staging.wait(pending, bytemuck::pod_collect_to_vec).await?;
            self.cap(&mut logits);
            let targets = tokens[first + 1..].iter();
            for (row, &target) in logits.chunks_exact(n_vocab).zip(targets) {
                scored.push(score_token(row, target, n_top));
            }
        }
        Ok(scored)
    }
}
