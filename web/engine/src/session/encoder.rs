//! A loaded encoder: which texts are computed together, and what is each one's vector?

use std::ops::ControlFlow;

use portico_shared::gguf::Gguf;

use super::LoadOptions;
use super::feeder::Feeder;
use super::loader::check_buffers;
use crate::EngineError;
use crate::caps::{Capabilities, GpuOptions, choose};
use crate::gpu::{Buffers, Copy, Executor, Gpu, Program, Run, Staging, now_ms};
use crate::model::{EncoderConfig, encoder_tensors};
use crate::plan::{EncoderPlan, Planned, TOKENS_PER_TILE};
use crate::record::BufferId;

/// Tokens that a text may have, whatever its model was made for: a submit holds a whole text.
const TEXT_TOKENS_MAX: u32 = 2048;
/// How long a submit should last: others use the device between two. A software device blocks no
/// display, and small batches waste it.
const TARGET_MS: f64 = 60.0;
const SOFTWARE_TARGET_MS: f64 = 2000.0;
/// Tokens of the first batch, before anything was measured.
const FIRST_BUDGET: u32 = 128;

/// Takes an encoder's file in order and puts it on the GPU.
pub struct EncoderLoader {
    gpu: Gpu,
    plan: EncoderPlan,
    feeder: Feeder,
    /// Its kernels, being compiled beside all that follows.
    executor: Executor,
    forward: Vec<Planned>,
}

/// An encoder on the GPU. Nothing is created for a batch; its vectors come back in one piece.
pub struct Encoder {
    gpu: Gpu,
    plan: EncoderPlan,
    // Before the buffers: bind groups go first.
    program: Program,
    executor: Executor,
    staging: Staging,
    buffers: Buffers,
    /// Tokens of a batch, following the measured time.
    budget: u32,
}

pub(super) fn plan(
    gguf: &Gguf,
    caps: &Capabilities,
    gpu: &GpuOptions,
    options: &LoadOptions,
) -> Result<EncoderPlan, EngineError> {
    let config = EncoderConfig::from_gguf(gguf)?;
    let tensors = encoder_tensors(gguf, &config)?;
    let variants = choose(caps, gpu, options.precision);
    let n_ctx = options.n_ctx.min(TEXT_TOKENS_MAX);
    let plan = EncoderPlan::new(config, tensors, &variants, n_ctx)?;
    check_buffers(&plan.recording, caps)?;
    Ok(plan)
}

impl EncoderLoader {
    /// Begins to compile the kernels and allocates the buffers.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`], [`EngineError::InvalidModel`], [`EngineError::OutOfMemory`].
    pub async fn new(gpu: &Gpu, gguf: &Gguf, options: &LoadOptions) -> Result<Self, EngineError> {
        gpu.check()?;
        let plan = plan(gguf, gpu.caps(), gpu.options(), options)?;
        let forward = plan.forward()?;
        let mut executor = Executor::new(gpu);
        executor.begin(&forward)?;
        let (weights, vectors) = (plan.weights(), plan.vectors());
        let feeder = Feeder::new(gpu, gguf, &plan.recording, weights, vectors, None).await?;
        Ok(Self { gpu: gpu.clone(), plan, feeder, executor, forward })
    }

    /// As [`super::ModelLoader::push`].
    ///
    /// # Errors
    /// As [`super::ModelLoader::push`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        self.feeder.push(bytes)
    }

    /// The encoder, once its kernels stand.
    ///
    /// # Errors
    /// As [`super::ModelLoader::finish`].
    pub async fn finish(mut self) -> Result<Encoder, EngineError> {
        self.feeder.check_whole()?;
        self.gpu.flush();
        let buffers = self.feeder.buffers;
        let program = self.executor.compile(&buffers, &self.forward).await?;
        let vectors = self.plan.recording.buffers[self.plan.vectors.0 as usize].size_bytes;
        let staging = Staging::new(&self.gpu, 1, vectors).await?;
        self.gpu.check()?;
        let budget = FIRST_BUDGET.min(self.plan.max_tokens);
        let Self { gpu, plan, executor, .. } = self;
        Ok(Encoder { gpu, plan, program, executor, staging, buffers, budget })
    }
}

impl Encoder {
    /// Tokens that a text may have.
    pub fn n_ctx(&self) -> u32 {
        self.plan.n_ctx
    }

    pub fn n_vocab(&self) -> u32 {
        self.plan.config.n_vocab as u32
    }

    /// Values of a vector.
    pub fn dim(&self) -> usize {
        self.plan.config.n_embd
    }

    /// What weights and activations take on the device.
    pub fn gpu_bytes(&self) -> u64 {
        self.buffers.bytes()
    }

    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// How many of the first texts of these lengths make a batch: as many as the budget of tokens has
    /// room for, and at least one.
    pub fn batch_len(&self, lens: impl Iterator<Item = usize>) -> usize {
        let (mut n_texts, mut n_tokens, mut n_tiles) = (0, 0, 0);
        for len in lens {
            n_tokens += len as u32;
            n_tiles += (len as u32).div_ceil(self.plan.tile());
            let fits = n_tokens <= self.budget && n_tiles * TOKENS_PER_TILE <= self.plan.max_tokens;
            if n_texts > 0 && !fits {
                break;
            }
            n_texts += 1;
        }
        n_texts
    }

    /// A unit vector for each of the texts of one batch. The same text gets the same bits in whatever
    /// company.
    ///
    /// # Errors
    /// [`EngineError::InvalidArgument`] for a text without tokens or with unknown ones and for a
    /// batch beyond [`Encoder::batch_len`], [`EngineError::ContextFull`] for a text that is too long,
    /// [`EngineError::DeviceLost`].
    pub async fn embed_batch(&mut self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, EngineError> {
        self.gpu.check()?;
        let layout = self.lay_out(texts)?;
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let n_tokens = layout.token_ids.len() as u32;
        let n_tiles = (layout.tiles.len() / 4) as u32;
        let plan = &self.plan;
        self.write(plan.token_ids, &layout.token_ids);
        self.write(plan.positions, &layout.positions);
        self.write(plan.tiles, &layout.tiles);
        self.write(plan.texts, &layout.texts);
        self.write(plan.params, &[n_tokens, n_tiles, 0, texts.len() as u32]);
        let run = Run {
            program: &self.program,
            n_tokens: n_tokens.max(n_tiles * TOKENS_PER_TILE),
            max_tokens: plan.max_tokens,
        };
        let dim = self.dim();
        let size_bytes = (texts.len() * dim * 4) as u64;
        let copy = Copy { buffer: plan.vectors, offset_bytes: 0, size_bytes, slot: 0 };
        let start_ms = now_ms();
        let pending = self.executor.submit(&[run], &self.buffers, &self.staging, Some(copy));
        let pending = pending.ok_or_else(|| EngineError::internal("no copy was asked for"))?;
        let vectors: Vec<f32> = self.staging.wait(pending, bytemuck::pod_collect_to_vec).await?;
        self.follow(n_tokens, now_ms() - start_ms);
        Ok(vectors.chunks_exact(dim).map(<[f32]>::to_vec).collect())
    }

    /// A unit vector for each text, in as many batches as it takes. `progress(done, total)` is called
    /// after each batch; when it breaks, nothing more is computed.
    ///
    /// # Errors
    /// As [`Encoder::embed_batch`]; [`EngineError::Cancelled`].
    pub async fn embed(
        &mut self,
        texts: &[Vec<u32>],
        mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let order = by_length(texts);
        let mut vectors = vec![Vec::new(); texts.len()];
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let n = self.batch_len(rest.iter().map(|&index| texts[index].len()));
            let (now, later) = rest.split_at(n);
            let batch: Vec<&[u32]> = now.iter().map(|&index| texts[index].as_slice()).collect();
            for (&index, vector) in now.iter().zip(self.embed_batch(&batch).await?) {
                vectors[index] = vector;
            }
            rest = later;
            if progress(texts.len() - rest.len(), texts.len()).is_break() {
                return Err(EngineError::Cancelled);
            }
        }
        Ok(vectors)
    }

    fn lay_out(&self, texts: &[&[u32]]) -> Result<Layout, EngineError> {
        let invalid = |reason: String| EngineError::InvalidArgument { reason };
        let mut layout = Layout::default();
        for (index, text) in texts.iter().enumerate() {
            let (n_ctx, n_vocab) = (self.n_ctx(), self.n_vocab());
            if text.is_empty() {
                return Err(invalid(format!("text {index} has no tokens")));
            }
            if text.len() > n_ctx as usize {
                return Err(EngineError::ContextFull { n_ctx, needed: text.len() });
            }
            if let Some(token) = text.iter().find(|&&token| token >= n_vocab) {
                return Err(invalid(format!("token {token} of a vocabulary of {n_vocab}")));
            }
            layout.push(text, self.plan.tile());
        }
        let n_tokens =
            layout.token_ids.len().max(layout.tiles.len() / 4 * TOKENS_PER_TILE as usize);
        if n_tokens > self.plan.max_tokens as usize {
            return Err(invalid(format!("a batch of {n_tokens} tokens")));
        }
        Ok(layout)
    }

    fn write(&self, buffer: BufferId, words: &[u32]) {
        self.buffers.write(buffer, 0, bytemuck::cast_slice(words));
    }

    /// The next batch's budget after one of `n_tokens` took `ms`.
    fn follow(&mut self, n_tokens: u32, ms: f64) {
        let software = self.gpu.caps().is_software;
        let target_ms = if software { SOFTWARE_TARGET_MS } else { TARGET_MS };
        self.budget = next_budget(self.budget, n_tokens, ms, target_ms).min(self.plan.max_tokens);
    }
}

/// Texts in the order in which they are best computed: like lengths together.
pub fn by_length(texts: &[Vec<u32>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&index| texts[index].len());
    order
}

/// Towards the target, at most doubled; a batch much smaller than the budget says nothing of it.
fn next_budget(budget: u32, n_tokens: u32, ms: f64, target_ms: f64) -> u32 {
    let fitting = (f64::from(n_tokens) * target_ms / ms.max(0.1)) as u32;
    if fitting > budget && n_tokens < budget / 2 {
        return budget;
    }
    fitting.clamp(16, budget * 2)
}

/// What a batch's texts are to the kernels.
#[derive(Default)]
struct Layout {
    token_ids: Vec<u32>,
    positions: Vec<u32>,
    tiles: Vec<u32>,
    texts: Vec<u32>,
}

impl Layout {
    fn push(&mut self, text: &[u32], tile: u32) {
        let first = self.token_ids.len() as u32;
        let end = first + text.len() as u32;
        self.token_ids.extend_from_slice(text);
        self.positions.extend(0..text.len() as u32);
        for from in (first..end).step_by(tile as usize) {
            self.tiles.extend([from, (from + tile).min(end), first, end]);
        }
        self.texts.extend([first, end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tile_is_of_two_texts() {
        let mut layout = Layout::default();
        layout.push(&[7; 5], 4);
        layout.push(&[8; 2], 4);
        assert_eq!(layout.tiles, [0, 4, 0, 5, 4, 5, 0, 5, 5, 7, 5, 7]);
        assert_eq!(layout.texts, [0, 5, 5, 7]);
        assert_eq!(layout.positions, [0, 1, 2, 3, 4, 0, 1]);
    }

    #[test]
    fn budgets_follow_the_measured_time() {
        assert_eq!(next_budget(128, 128, 30.0, 60.0), 256);
        assert_eq!(next_budget(256, 256, 120.0, 60.0), 128);
        assert_eq!(next_budget(256, 20, 1.0, 60.0), 256, "too little to learn from");
        assert_eq!(next_budget(64, 64, 900.0, 60.0), 16);
    }
}
