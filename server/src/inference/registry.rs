//! Which models are loaded, and which must go when another is asked for?

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use portico_inference::{Device, Engine, Load, Scheduler, SchedulerOptions, Share};
use portico_kernels::Pool;
use portico_shared::catalogue::{Format, Kind};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::generation::{GenerationRequest, ModelFacts};
use tokio::sync::OwnedMutexGuard;

use super::hosted::{TextSide, Work};
use super::{
    Decoding, HostedModel, InferenceConfig, InferenceStatus, LoadState, ModelStatus, Running,
};
use crate::models::{Entry, Library, ModelsError, header, open_encoder};

/// The models of this process.
pub struct Inference {
    library: Arc<Library>,
    config: InferenceConfig,
    /// Started with the first model: all models compute on the same threads.
    pool: OnceLock<Arc<Pool>>,
    /// With what models may take of its memory, before any has.
    engine: OnceLock<(Engine, Option<u64>)>,
    slots: Mutex<HashMap<String, Slot>>,
    /// One model is loaded at a time.
    loading: Arc<tokio::sync::Mutex<()>>,
}

enum Slot {
    Loading {
        /// The bits of a share from 0 to 1.
        progress: Arc<AtomicU32>,
        memory_bytes: u64,
    },
    Ready {
        model: Arc<HostedModel>,
        used: Instant,
    },
}

impl std::fmt::Debug for Inference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inference").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Inference {
    pub fn new(library: Arc<Library>, config: InferenceConfig) -> Arc<Self> {
        Arc::new(Self {
            library,
            config,
            pool: OnceLock::new(),
            engine: OnceLock::new(),
            slots: Mutex::default(),
            loading: Arc::default(),
        })
    }

    /// The device on which models answer; opened once.
    ///
    /// # Errors
    /// `internal` where the one that was asked for is not there.
    pub fn engine(&self) -> Result<&Engine, ApiError> {
        if let Some((engine, _)) = self.engine.get() {
            return Ok(engine);
        }
        let engine = Engine::open(self.config.device)?;
        let device_bytes = engine.memory_bytes();
        tracing::info!(device = engine.name(), device_bytes, "models are computed");
        Ok(&self.engine.get_or_init(|| (engine, device_bytes)).0)
    }

    /// Opens the device now where one was named, so that a missing one is told at the start.
    ///
    /// # Errors
    /// As [`Inference::engine`].
    pub fn open_named_device(&self) -> Result<(), ApiError> {
        match self.config.device {
            Device::Auto | Device::Cpu => Ok(()),
            Device::Cuda | Device::Metal => self.engine().map(|_| ()),
        }
    }

    /// For all models together: a GPU may have less than was configured, or than the machine has.
    fn budget_bytes(&self) -> u64 {
        let configured = self.config.memory_bytes;
        match self.engine.get() {
            Some((_, Some(device_bytes))) => configured.min(*device_bytes),
            _ => configured,
        }
    }

    /// The model, loaded on first use; those that were not used for the longest time and answer
    /// nobody make room.
    ///
    /// # Errors
    /// `model_not_found`, `model_absent`, `model_unsupported`, `model_invalid`,
    /// `server_out_of_memory`.
    pub async fn model(self: &Arc<Self>, id: &str) -> Result<Arc<HostedModel>, ApiError> {
        if let Some(model) = self.ready(id) {
            return Ok(model);
        }
        let turn = Arc::clone(&self.loading).lock_owned().await;
        if let Some(model) = self.ready(id) {
            return Ok(model);
        }
        let shelf = self.library.shelf().await.map_err(|error| ApiError::from(&error))?;
        let entry = shelf.get(id).map_err(|error| ApiError::from(&error))?.clone();
        let inference = Arc::clone(self);
        // It is loaded to the end even when the one who asked has gone.
        let loaded = tokio::task::spawn_blocking(move || inference.load(&entry, turn)).await;
        loaded.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?
    }

    /// Queues an answer.
    ///
    /// # Errors
    /// `too_many_requests` when the queue is full, with `retry_after_s`.
    pub async fn generate(
        self: &Arc<Self>,
        model: &Arc<HostedModel>,
        request: GenerationRequest,
    ) -> Result<Running, ApiError> {
        self.generate_as(model, request, Decoding::Answer).await
    }

    /// [`Inference::generate`] for tokens that may go on the prompt's text.
    ///
    /// # Errors
    /// As [`Inference::generate`].
    pub async fn generate_as(
        self: &Arc<Self>,
        model: &Arc<HostedModel>,
        request: GenerationRequest,
        decoding: Decoding,
    ) -> Result<Running, ApiError> {
        self.ready(&model.id);
        if request.grammar.is_none() {
            return submit(model, request, decoding);
        }
        // Compiling a grammar is no work for the threads that carry messages.
        let model = Arc::clone(model);
        let submitted = tokio::task::spawn_blocking(move || submit(&model, request, decoding));
        submitted.await.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?
    }

    /// Unit vectors of texts, `[n][dim]`.
    ///
    /// # Errors
    /// `model_unsupported` for a model that makes no vectors; `context_length_exceeded`;
    /// `invalid_request` for texts without tokens or with unknown ones.
    pub async fn embed(
        self: &Arc<Self>,
        model: &Arc<HostedModel>,
        token_ids: Vec<Vec<u32>>,
    ) -> Result<Vec<Vec<f32>>, ApiError> {
        self.ready(&model.id);
        let Work::Vectors(embedder) = &model.work else {
            return Err(cannot(model, "makes no vectors"));
        };
        let embedder = Arc::clone(embedder);
        let made = tokio::task::spawn_blocking(move || embedder.embed(&token_ids)).await;
        made.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?
    }

    pub fn status(&self) -> InferenceStatus {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut models: Vec<_> = slots.iter().map(|(id, slot)| slot.status(id)).collect();
        models.sort_by(|a, b| a.id.cmp(&b.id));
        InferenceStatus { memory_budget_bytes: self.budget_bytes(), models }
    }

    /// A loaded model whose scheduler lives; asking counts as use.
    fn ready(&self, id: &str) -> Option<Arc<HostedModel>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get_mut(id)? {
            Slot::Ready { model, used } if model.work.lives() => {
                *used = Instant::now();
                Some(Arc::clone(model))
            }
            _ => None,
        }
    }

    fn set(&self, id: &str, slot: Option<Slot>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slot {
            Some(slot) => slots.insert(id.to_owned(), slot),
            None => slots.remove(id),
        };
    }

    fn load(&self, entry: &Entry, turn: OwnedMutexGuard<()>) -> Result<Arc<HostedModel>, ApiError> {
        let id = &entry.model.id;
        // What is left of a scheduler that died.
        self.set(id, None);
        let loaded = self.load_file(entry);
        match &loaded {
            Ok(model) => {
                let slot = Slot::Ready { model: Arc::clone(model), used: Instant::now() };
                self.set(id, Some(slot));
            }
            Err(error) => {
                tracing::warn!(model = %id, %error, "not loaded");
                self.set(id, None);
            }
        }
        drop(turn);
        loaded
    }

    fn load_file(&self, entry: &Entry) -> Result<Arc<HostedModel>, ApiError> {
        let model = &entry.model;
        if !entry.is_available() {
            return Err(ApiError::from(&ModelsError::Absent(model.id.clone())));
        }
        match (model.kind, model.format) {
            (Kind::Chat, Format::Gguf) => self.load_decoder(entry),
            (Kind::Embedding, _) => self.load_encoder(entry),
            (kind, format) => {
                let reason = format!("{} is a {kind:?} model in {format:?}", model.id);
                Err(ApiError::new(ErrorCode::ModelUnsupported).with("reason", reason))
            }
        }
    }

    /// A file of a model, by its place among the model's files.
    fn open_file(&self, entry: &Entry, index: usize) -> Result<(PathBuf, File), ApiError> {
        let model = &entry.model;
        let Some(file) = model.files.get(index) else {
            let reason = format!("{} has only {} files", model.id, model.files.len());
            return Err(ApiError::new(ErrorCode::ModelInvalid).with("reason", reason));
        };
        let path = self.library.layout.file(&model.id, &file.name);
        let file = File::open(&path).map_err(ModelsError::io(&path));
        Ok((path, file.map_err(|error| ApiError::from(&error))?))
    }

    fn pool(&self) -> Arc<Pool> {
        Arc::clone(self.pool.get_or_init(|| Arc::new(Pool::new(self.config.n_threads))))
    }

    fn load_encoder(&self, entry: &Entry) -> Result<Arc<HostedModel>, ApiError> {
        let model = &entry.model;
        let file = open_encoder(&self.library, entry)?;
        let memory_bytes = file.memory_bytes();
        self.make_room(&[memory_bytes])?;
        let tokenizer = TextSide::from_gguf(file.metadata())?.tokenizer;
        let embedder = file.load(self.pool())?;
        let (n_ctx, n_vocab) = (embedder.n_ctx() as u32, embedder.n_vocab() as u32);
        let facts = ModelFacts::new(&tokenizer, None, n_ctx, n_vocab);
        Ok(Arc::new(HostedModel {
            id: model.id.clone(),
            tokenizer,
            template: None,
            facts,
            prefixes: model.prefixes.clone(),
            memory_bytes,
            work: Work::Vectors(Arc::new(embedder)),
        }))
    }

    fn load_decoder(&self, entry: &Entry) -> Result<Arc<HostedModel>, ApiError> {
        let model = &entry.model;
        let started = Instant::now();
        let (path, file) = self.open_file(entry, 0)?;
        let gguf = header::read_file(&path).map_err(|error| ApiError::from(&error))?;
        let engine = self.engine()?;
        let shares = Share::wanted(&gguf, &self.config, engine)?;
        let fits = self.make_room(&shares.map(|share| share.memory_bytes))?;
        let share = shares[fits];
        let progress = Arc::new(AtomicU32::new(0));
        let memory_bytes = share.memory_bytes;
        self.set(&model.id, Some(Slot::Loading { progress: Arc::clone(&progress), memory_bytes }));
        let weights = engine.load(&file, &gguf, share, self.pool(), &|done| {
            progress.store(done.to_bits(), Ordering::Relaxed);
        })?;
        let text = TextSide::from_gguf(&gguf.metadata)?;
        let (n_ctx, n_vocab) = (share.n_ctx as u32, weights.config().n_vocab);
        let facts = ModelFacts::new(&text.tokenizer, text.template.as_ref(), n_ctx, n_vocab);
        let options = SchedulerOptions::new(&self.config, share);
        let tokenizer = Arc::clone(&text.tokenizer);
        let scheduler = Scheduler::start(&model.id, weights, tokenizer, options)?;
        tracing::info!(
            model = %model.id,
            memory_mb = memory_bytes / 1_000_000,
            seconds = started.elapsed().as_secs_f32(),
            "loaded"
        );
        Ok(Arc::new(HostedModel {
            id: model.id.clone(),
            tokenizer: text.tokenizer,
            template: text.template,
            facts,
            prefixes: model.prefixes.clone(),
            memory_bytes,
            work: Work::Answers(scheduler),
        }))
    }

    /// The first of the sizes, largest first, that fits once models that answer nobody have gone.
    fn make_room(&self, sizes_bytes: &[u64]) -> Result<usize, ApiError> {
        let least = sizes_bytes.last().copied().unwrap_or_default();
        if least > self.budget_bytes() {
            return Err(memory_full(least));
        }
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let used: u64 = slots.values().map(Slot::memory_bytes).sum();
            let free = self.budget_bytes().saturating_sub(used);
            if let Some(fits) = sizes_bytes.iter().position(|&bytes| bytes <= free) {
                return Ok(fits);
            }
            let idle = slots.iter().filter_map(|(id, slot)| slot.idle_since().map(|at| (at, id)));
            let Some(longest) = idle.min().map(|(_, id)| id.clone()) else {
                return Err(memory_full(least));
            };
            tracing::info!(model = %longest, "unloaded to make room");
            slots.remove(&longest);
        }
    }
}

impl Work {
    /// Whether it can still be given work; a scheduler ends only by a bug.
    fn lives(&self) -> bool {
        match self {
            Self::Answers(scheduler) => !scheduler.is_closed(),
            Self::Vectors(_) => true,
        }
    }

    fn load(&self) -> Load {
        match self {
            Self::Answers(scheduler) => scheduler.load(),
            // A call that computes holds it.
            Self::Vectors(embedder) => {
                Load { n_running: Arc::strong_count(embedder) - 1, ..Load::default() }
            }
        }
    }
}

impl Slot {
    fn memory_bytes(&self) -> u64 {
        match self {
            Self::Loading { memory_bytes, .. } => *memory_bytes,
            Self::Ready { model, .. } => model.memory_bytes,
        }
    }

    /// Since when nobody has held the model.
    fn idle_since(&self) -> Option<Instant> {
        match self {
            Self::Ready { model, used } if Arc::strong_count(model) == 1 => {
                let load = model.work.load();
                (load.n_running == 0 && load.n_queued == 0).then_some(*used)
            }
            _ => None,
        }
    }

    fn status(&self, id: &str) -> ModelStatus {
        let status = ModelStatus {
            id: id.to_owned(),
            load: LoadState::Ready,
            memory_bytes: self.memory_bytes(),
            n_running: 0,
            n_queued: 0,
            batch_size: 0,
            cached_tokens: 0,
        };
        match self {
            Self::Loading { progress, .. } => {
                let progress = f32::from_bits(progress.load(Ordering::Relaxed));
                ModelStatus { load: LoadState::Loading { progress }, ..status }
            }
            Self::Ready { model, .. } => {
                let load = model.work.load();
                ModelStatus {
                    n_running: load.n_running,
                    n_queued: load.n_queued,
                    batch_size: load.batch_size,
                    cached_tokens: load.cached_tokens,
                    ..status
                }
            }
        }
    }
}

fn submit(
    model: &HostedModel,
    request: GenerationRequest,
    decoding: Decoding,
) -> Result<Running, ApiError> {
    match &model.work {
        Work::Answers(scheduler) => scheduler.submit(request, decoding),
        Work::Vectors(_) => Err(cannot(model, "answers nothing: it makes vectors")),
    }
}

/// `“x” does …`
fn cannot(model: &HostedModel, what: &str) -> ApiError {
    let reason = format!("“{}” {what}", model.id);
    ApiError::new(ErrorCode::ModelUnsupported).with("reason", reason)
}

fn memory_full(needed_bytes: u64) -> ApiError {
    ApiError::new(ErrorCode::ServerMemoryFull).with("needed_mb", needed_bytes.div_ceil(1_000_000))
}
