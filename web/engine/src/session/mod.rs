//! A loaded model: which tokens stand in its cache, and what comes next?

mod cost;
mod decode;
mod encoder;
mod feeder;
mod loader;
mod prefill;
mod score;

use decode::Decode;
pub use encoder::{Encoder, EncoderLoader, by_length};
pub use loader::{LoadOptions, ModelLoader, memory_estimate, supports};
/// A token's log-probability given all tokens before it, and the most likely ones at its place.
pub use portico_shared::sampling::TokenScore as Scored;
pub use prefill::PrefillStats;
use score::Scorer;

use crate::EngineError;
use crate::gpu::{Buffers, Copy, Counters, Executor, Gpu, Pending, Program, Run, Staging};
use crate::plan::{Mode, ModelPlan, Planned, forward, head, sample};
use crate::record::BufferId;

/// A model on the GPU with one sequence in its cache.
///
/// The cache holds keys and values of [`Engine::tokens`]. A prefill makes it hold another sequence
/// and computes only what differs; [`Engine::step`] and [`Engine::next_token`] append to it.
pub struct Engine {
    gpu: Gpu,
    plan: ModelPlan,
    // Before the buffers: bind groups go first.
    programs: Programs,
    more: Option<MorePrograms>,
    /// Taken when `more` is made of it.
    more_planned: Option<MorePlanned>,
    executor: Executor,
    staging: Staging,
    logits_staging: Staging,
    buffers: Buffers,
    tokens: Vec<u32>,
    /// How many of `tokens` have keys and values in the cache: all, but for the last one of a full
    /// context.
    n_computed: usize,
    /// The logits buffer belongs to the last of `tokens`.
    has_logits: bool,
    /// Tokens of the next prefill chunk.
    chunk: u32,
    decode: Option<Decode>,
    scorer: Option<Scorer>,
    /// Copies that nobody waits for any more.
    stale: Vec<Pending>,
}

/// What computes one token and its logits in a short context; with it a model is loaded.
struct Programs {
    one: Program,
    head: Program,
}

/// What prompts, long contexts and sampling on the GPU need beside that: larger kernels, which some
/// browsers take seconds to compile. They are compiled behind a loaded model, see
/// [`Engine::complete`].
struct MorePrograms {
    /// One token, by [`crate::plan::AttentionPlan::tier`], from the second tier on.
    one: Vec<Program>,
    many: Program,
    sample: Program,
}

/// Submits that may be under way while the CPU reads.
const N_SLOTS: usize = 4;
const SLOT_BYTES: u64 = 8;

/// A model's first kernels, being compiled: see [`ModelLoader::new`].
pub(crate) struct Warm {
    executor: Executor,
    one: Vec<Planned>,
    head: Vec<Planned>,
}

impl Warm {
    fn new(gpu: &Gpu, plan: &ModelPlan) -> Result<Self, EngineError> {
        let one = forward(plan, Mode::One { splits: plan.attention.tiers()[0] })?;
        let head = head(plan)?;
        let mut executor = Executor::new(gpu);
        executor.begin(one.iter().chain(&head))?;
        Ok(Self { executor, one, head })
    }
}

/// What [`MorePrograms`] are made of.
struct MorePlanned {
    one: Vec<Vec<Planned>>,
    many: Vec<Planned>,
    sample: Vec<Planned>,
}

impl MorePlanned {
    fn new(plan: &ModelPlan) -> Result<Self, EngineError> {
        let tiers = plan.attention.tiers();
        let one = tiers.iter().skip(1).map(|&splits| forward(plan, Mode::One { splits }));
        Ok(Self {
            one: one.collect::<Result<_, _>>()?,
            many: forward(plan, Mode::Many)?,
            sample: sample(plan),
        })
    }
}

impl Engine {
    async fn new(
        gpu: Gpu,
        plan: ModelPlan,
        buffers: Buffers,
        warm: Warm,
    ) -> Result<Self, EngineError> {
        let Warm { mut executor, one, head } = warm;
        let programs = Programs {
            one: executor.compile(&buffers, &one).await?,
            head: executor.compile(&buffers, &head).await?,
        };
        let more_planned = MorePlanned::new(&plan)?;
        let MorePlanned { one, many, sample } = &more_planned;
        executor.begin(many.iter().chain(sample).chain(one.iter().flatten()))?;
        let staging = Staging::new(&gpu, N_SLOTS, SLOT_BYTES).await?;
        let logits_bytes = u64::from(plan.config.n_vocab) * 4;
        let logits_staging = Staging::new(&gpu, 1, logits_bytes).await?;
        gpu.check()?;
        Ok(Self {
            chunk: prefill::first_chunk(&gpu, &plan),
            gpu,
            plan,
            programs,
            more: None,
            more_planned: Some(more_planned),
            executor,
            staging,
            logits_staging,
            buffers,
            tokens: Vec::new(),
            n_computed: 0,
            has_logits: false,
            decode: None,
            scorer: None,
            stale: Vec::new(),
        })
    }

    /// Waits for the kernels that are compiled behind a loaded model. Whatever needs them calls this
    /// itself; afterwards no call makes objects on the GPU (but for the first [`Engine::score`]).
    ///
    /// # Errors
    /// [`EngineError::Internal`] where the device refuses a kernel; [`EngineError::DeviceLost`].
    pub async fn complete(&mut self) -> Result<(), EngineError> {
        let Some(MorePlanned { one, many, sample }) = &self.more_planned else { return Ok(()) };
        let mut tiers = Vec::new();
        for dispatches in one {
            tiers.push(self.executor.compile(&self.buffers, dispatches).await?);
        }
        self.more = Some(MorePrograms {
            one: tiers,
            many: self.executor.compile(&self.buffers, many).await?,
            sample: self.executor.compile(&self.buffers, sample).await?,
        });
        self.more_planned = None;
        Ok(())
    }

    /// What computes a token that then is one of `n_tokens`.
    async fn complete_for(&mut self, n_tokens: u32) -> Result<(), EngineError> {
        if self.plan.attention.tier(n_tokens) > 0 { self.complete().await } else { Ok(()) }
    }

    fn more(&self) -> Result<&MorePrograms, EngineError> {
        self.more.as_ref().ok_or_else(|| EngineError::internal("not all kernels are compiled"))
    }

    /// As [`Engine::complete_for`] has made sure of.
    fn one(&self, n_tokens: u32) -> Result<&Program, EngineError> {
        match self.plan.attention.tier(n_tokens) {
            0 => Ok(&self.programs.one),
            tier => {
                self.more()?.one.get(tier - 1).ok_or_else(|| {
                    EngineError::internal(format!("no program for {n_tokens} tokens"))
                })
            }
        }
    }

    /// Tokens that the cache can hold.
    pub fn n_ctx(&self) -> u32 {
        self.plan.n_ctx
    }

    pub fn n_vocab(&self) -> u32 {
        self.plan.config.n_vocab
    }

    /// What weights, cache and activations take on the device.
    pub fn gpu_bytes(&self) -> u64 {
        self.buffers.bytes()
    }

    /// The sequence that stands.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Of the device, since it was acquired.
    pub fn counters(&self) -> Counters {
        self.gpu.counters()
    }

    /// Dispatches of one decoded token with `n_tokens` in the cache, by label.
    ///
    /// # Errors
    /// [`EngineError::Internal`] before [`Engine::complete`].
    pub fn decode_dispatches(&self, n_tokens: u32) -> Result<Vec<String>, EngineError> {
        let programs = [self.one(n_tokens)?, &self.programs.head, &self.more()?.sample];
        Ok(programs.into_iter().flat_map(|program| program.labels().map(str::to_owned)).collect())
    }

    /// Microseconds of each dispatch of a decoded token, by label; the cache is left as it stands.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] without [`crate::GpuOptions::timestamps`].
    pub async fn profile_decode(&mut self) -> Result<Vec<(String, f64)>, EngineError> {
        self.complete().await?;
        self.settle().await?;
        self.make_logits().await?;
        self.has_logits = false;
        let position = self.tokens.len() as u32 - 1;
        self.write_inputs(&self.tokens[position as usize..], position);
        let runs = [
            Run::whole(self.one(position + 1)?),
            Run::whole(&self.programs.head),
            Run::whole(&self.more()?.sample),
        ];
        self.executor.profile(&runs).await
    }

    /// Microseconds of each dispatch of a prefill of `n_tokens` (at most 256) at the cache's
    /// beginning, by label. Nothing stands in the cache afterwards.
    ///
    /// # Errors
    /// As [`Engine::profile_decode`].
    pub async fn profile_prefill(
        &mut self,
        n_tokens: u32,
    ) -> Result<Vec<(String, f64)>, EngineError> {
        self.complete().await?;
        self.settle().await?;
        self.rewind(0);
        let n_tokens = n_tokens.clamp(1, self.plan.max_tokens);
        self.write_inputs(&vec![0; n_tokens as usize], 0);
        let many = Run { program: &self.more()?.many, n_tokens, max_tokens: self.plan.max_tokens };
        self.executor.profile(&[many, Run::whole(&self.programs.head)]).await
    }

    /// The logits after the last token, `[n_vocab]`.
    ///
    /// # Errors
    /// [`EngineError::InvalidArgument`] while nothing stands; [`EngineError::DeviceLost`].
    pub async fn logits(&mut self) -> Result<Vec<f32>, EngineError> {
        self.settle().await?;
        self.make_logits().await?;
        let size_bytes = u64::from(self.n_vocab()) * 4;
        let copy = Copy { buffer: self.plan.logits, offset_bytes: 0, size_bytes, slot: 0 };
        let pending = self.executor.submit(&[], &self.buffers, &self.logits_staging, Some(copy));
        let mut logits = self.read(pending).await?;
        self.cap(&mut logits);
        Ok(logits)
    }

    async fn read(&self, pending: Option<Pending>) -> Result<Vec<f32>, EngineError> {
        let pending = pending.ok_or_else(|| EngineError::internal("no copy was asked for"))?;
        self.logits_staging.wait(pending, bytemuck::pod_collect_to_vec).await
    }

    /// The final softcap, where the model has one.
    fn cap(&self, logits: &mut [f32]) {
        if let Some(cap) = self.plan.config.final_softcap {
            for logit in logits {
                *logit = cap * (*logit / cap).tanh();
            }
        }
    }

    /// Appends a token that the caller chose.
    ///
    /// # Errors
    /// As [`Engine::prefill`].
    pub async fn step(&mut self, token: u32) -> Result<(), EngineError> {
        self.settle().await?;
        self.check_tokens(&[token], self.tokens.len() + 1)?;
        if self.n_computed < self.tokens.len() {
            self.make_logits().await?;
        }
        self.submit_one(token).await?;
        self.gpu.check()
    }

    /// Computes one token at the end of what stands, and its logits.
    async fn submit_one(&mut self, token: u32) -> Result<(), EngineError> {
        let position = self.n_computed as u32;
        self.complete_for(position + 1).await?;
        self.write_inputs(&[token], position);
        let runs = [Run::whole(self.one(position + 1)?), Run::whole(&self.programs.head)];
        self.executor.submit(&runs, &self.buffers, &self.staging, None);
        self.tokens.push(token);
        self.n_computed = self.tokens.len();
        self.has_logits = true;
        Ok(())
    }

    /// Computes the last token again where the logits buffer belongs to another.
    async fn make_logits(&mut self) -> Result<(), EngineError> {
        if self.has_logits {
            return Ok(());
        }
        let Some(last) = self.tokens.pop() else {
            return Err(EngineError::InvalidArgument { reason: "no token stands".to_owned() });
        };
        self.n_computed = self.tokens.len();
        self.submit_one(last).await?;
        self.gpu.check()
    }

    /// Tokens and params of the next submit.
    fn write_inputs(&self, tokens: &[u32], position: u32) {
        let n = tokens.len() as u32;
        self.write_words(self.plan.token_ids, tokens);
        self.write_words(self.plan.params, &[n, n.saturating_sub(1), position, 0]);
    }

    fn write_words(&self, buffer: BufferId, words: &[u32]) {
        self.buffers.write(buffer, 0, bytemuck::cast_slice(words));
    }

    fn check_tokens(&self, tokens: &[u32], needed: usize) -> Result<(), EngineError> {
        let n_ctx = self.n_ctx();
        if needed > n_ctx as usize {
            return Err(EngineError::ContextFull { n_ctx, needed });
        }
        match tokens.iter().find(|&&token| token >= self.n_vocab()) {
            Some(token) => Err(EngineError::InvalidArgument {
                reason: format!("token {token} of a vocabulary of {}", self.n_vocab()),
            }),
            None => Ok(()),
        }
    }

    /// Ends a decode and waits for what it left under way.
    async fn settle(&mut self) -> Result<(), EngineError> {
        self.gpu.check()?;
        if let Some(decode) = self.decode.take() {
            self.stale.extend(decode.into_pending());
            self.has_logits = false;
        }
        for pending in std::mem::take(&mut self.stale) {
            self.staging.wait(pending, |_| ()).await?;
        }
        Ok(())
    }

    /// Forgets all but the first `n_tokens`.
    pub fn rewind(&mut self, n_tokens: usize) {
        if let Some(decode) = self.decode.take() {
            self.stale.extend(decode.into_pending());
            self.has_logits = false;
        }
        if n_tokens < self.tokens.len() {
            self.tokens.truncate(n_tokens);
            self.n_computed = self.n_computed.min(n_tokens);
            self.has_logits = false;
        }
    }

    /// Destroys the model's buffers now; a drop does the same.
    pub async fn unload(self) {}
}
