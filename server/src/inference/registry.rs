//! Which models are loaded, and which must go when another is asked for?

use std::collections::HashMap;
use std::fs::File;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use portico_inference::{CpuModel, Scheduler, SchedulerOptions, Share};
use portico_kernels::Pool;
use portico_shared::catalogue::{Format, Kind};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::generation::{GenerationRequest, ModelFacts};
use tokio::sync::OwnedMutexGuard;

use super::hosted::TextSide;
use super::{
    Decoding, HostedModel, InferenceConfig, InferenceStatus, LoadState, ModelStatus, Running,
};
use crate::models::{Entry, Library, ModelsError, header};

/// The models of this process.
pub struct Inference {
    library: Arc<Library>,
    config: InferenceConfig,
    /// Started with the first model: all models compute on the same threads.
    pool: OnceLock<Arc<Pool>>,
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
            slots: Mutex::default(),
            loading: Arc::default(),
        })
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
            return model.scheduler.submit(request, decoding);
        }
        // Compiling a grammar is no work for the threads that carry messages.
        let model = Arc::clone(model);
        let submitted =
            tokio::task::spawn_blocking(move || model.scheduler.submit(request, decoding));
        submitted.await.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?
    }

    /// Unit vectors of texts, `[n][dim]`.
    ///
    /// # Errors
    /// `model_unsupported` for a model that makes no vectors.
    pub async fn embed(
        self: &Arc<Self>,
        model: &Arc<HostedModel>,
        _token_ids: Vec<Vec<u32>>,
    ) -> Result<Vec<Vec<f32>>, ApiError> {
        let reason = format!("{} makes no vectors", model.id);
        Err(ApiError::new(ErrorCode::ModelUnsupported).with("reason", reason))
    }

    pub fn status(&self) -> InferenceStatus {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut models: Vec<_> = slots.iter().map(|(id, slot)| slot.status(id)).collect();
        models.sort_by(|a, b| a.id.cmp(&b.id));
        InferenceStatus { memory_budget_bytes: self.config.memory_bytes, models }
    }

    /// A loaded model whose scheduler lives; asking counts as use.
    fn ready(&self, id: &str) -> Option<Arc<HostedModel>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get_mut(id)? {
            Slot::Ready { model, used } if !model.scheduler.is_closed() => {
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
        let unsupported =
            |reason: String| Err(ApiError::new(ErrorCode::ModelUnsupported).with("reason", reason));
        if model.kind != Kind::Chat || model.format != Format::Gguf {
            return unsupported(format!("{} is no language model in GGUF", model.id));
        }
        let Some(weights) = model.weights() else {
            return unsupported(format!("{} has no weights", model.id));
        };
        let started = Instant::now();
        let path = self.library.layout.file(&model.id, &weights.name);
        let gguf = header::read_file(&path).map_err(|error| ApiError::from(&error))?;
        let share = self.make_room(Share::wanted(&gguf, &self.config)?)?;
        let progress = Arc::new(AtomicU32::new(0));
        let memory_bytes = share.memory_bytes;
        self.set(&model.id, Some(Slot::Loading { progress: Arc::clone(&progress), memory_bytes }));
        let file = File::open(&path).map_err(ModelsError::io(&path));
        let file = file.map_err(|error| ApiError::from(&error))?;
        let pool = self.pool.get_or_init(|| Arc::new(Pool::new(self.config.n_threads)));
        let cpu = CpuModel::load(&file, &gguf, share.n_ctx, Arc::clone(pool), &|done| {
            progress.store(done.to_bits(), Ordering::Relaxed);
        })?;
        let text = TextSide::from_gguf(&gguf.metadata)?;
        let (n_ctx, n_vocab) = (share.n_ctx as u32, cpu.config.n_vocab);
        let facts = ModelFacts::new(&text.tokenizer, text.template.as_ref(), n_ctx, n_vocab);
        let options = SchedulerOptions::new(&self.config, share);
        let tokenizer = Arc::clone(&text.tokenizer);
        let scheduler = Scheduler::start(&model.id, cpu, tokenizer, options)?;
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
            memory_bytes,
            scheduler,
        }))
    }

    /// The best of the shares that fits, once models that answer nobody have gone.
    fn make_room(&self, wanted: [Share; 2]) -> Result<Share, ApiError> {
        let least = wanted[1];
        if least.memory_bytes > self.config.memory_bytes {
            return Err(memory_full(least.memory_bytes));
        }
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let used: u64 = slots.values().map(Slot::memory_bytes).sum();
            let free = self.config.memory_bytes.saturating_sub(used);
            if let Some(share) = wanted.iter().find(|share| share.memory_bytes <= free) {
                return Ok(*share);
            }
            let idle = slots.iter().filter_map(|(id, slot)| slot.idle_since().map(|at| (at, id)));
            let Some(longest) = idle.min().map(|(_, id)| id.clone()) else {
                return Err(memory_full(least.memory_bytes));
            };
            tracing::info!(model = %longest, "unloaded to make room");
            slots.remove(&longest);
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
            Self::Ready { model, used }
                if Arc::strong_count(model) == 1 && model.scheduler.is_idle() =>
            {
                Some(*used)
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
                let load = model.scheduler.load();
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

fn memory_full(needed_bytes: u64) -> ApiError {
    ApiError::new(ErrorCode::ServerMemoryFull).with("needed_mb", needed_bytes.div_ceil(1_000_000))
}
