//! The task that owns the embedder, beside the one that owns the model that chats.
//!
//! Both give work to one device. While an answer is being written, the embedder rests after each batch
//! for as long as the batch took, so that tokens go on coming.

use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use portico_engine::{Encoder, EngineError, by_length};
use portico_relay::protocol::EmbedRequest;
use portico_relay::queue::Ticket;
use portico_shared::catalogue::Prefixes;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::tokenizer::{AddSpecial, ParseSpecial, Tokenizer, fit};

use super::{Leader, since_ms};
use crate::js::scope::{log_error, now_ms, sleep_ms};
use crate::protocol::{FromWorker, ModelState};

/// Losses of the device that a request survives.
const LOSSES_MAX: u32 = 2;

/// What waits for the embedder.
pub enum EmbedJob {
    /// Puts a model on the GPU, in place of another embedder.
    Activate(String),
    Unload(String),
    Embed(Box<EmbedRequest>),
}

/// A model that makes vectors.
pub struct LoadedEmbedder {
    pub model: String,
    pub encoder: Encoder,
    pub tokenizer: Tokenizer,
    pub prefixes: Prefixes,
}

/// Does one job after the other, for ever.
pub async fn run(leader: Rc<Leader>) {
    let mut task = Task { leader, loaded: None };
    loop {
        let leader = task.leader.clone();
        let (ticket, job) = leader.changed.until(|| leader.embeds.borrow_mut().start_next()).await;
        leader.stop_embedding.set(false);
        match job {
            EmbedJob::Activate(model) => {
                if let Err(error) = task.make_ready(&model).await {
                    leader.load_failed(&model, error);
                }
            }
            EmbedJob::Unload(model) => {
                if task.loaded.as_ref().is_some_and(|loaded| loaded.model == model) {
                    task.unload().await;
                }
            }
            EmbedJob::Embed(request) => task.answer(&ticket, &request).await,
        }
        leader.embeds.borrow_mut().finish();
        leader.changed.ring();
    }
}

struct Task {
    leader: Rc<Leader>,
    loaded: Option<LoadedEmbedder>,
}

/// What became of a request's texts.
struct Made {
    vectors: Vec<Vec<f32>>,
    n_tokens: u64,
    truncated: Vec<u32>,
}

impl Task {
    async fn answer(&mut self, ticket: &Ticket, request: &EmbedRequest) {
        let id = ticket.id.clone();
        let last_word = match self.embed(request).await {
            Ok(Made { vectors, n_tokens, truncated }) => {
                let id = id.clone();
                (self.leader.deliver)(
                    Some(&ticket.tab),
                    FromWorker::Embedded { id, vectors, n_tokens, truncated },
                );
                FromWorker::Done { id: ticket.id.clone(), stopped: false }
            }
            Err(error) if error.code == ErrorCode::Cancelled => {
                FromWorker::Done { id, stopped: true }
            }
            Err(error) => FromWorker::Failed { id, error },
        };
        (self.leader.deliver)(Some(&ticket.tab), last_word);
    }

    async fn embed(&mut self, request: &EmbedRequest) -> Result<Made, ApiError> {
        let mut n_losses = 0;
        loop {
            if let Err(error) = self.make_ready(&request.model).await {
                if error.code != ErrorCode::Cancelled {
                    self.leader.load_failed(&request.model, error.clone());
                }
                return Err(error);
            }
            match self.vectors(request).await {
                Err(error) if error.code == ErrorCode::DeviceLost && n_losses < LOSSES_MAX => {
                    n_losses += 1;
                }
                made => return made,
            }
        }
    }

    async fn vectors(&mut self, request: &EmbedRequest) -> Result<Made, ApiError> {
        let leader = &self.leader;
        let Some(loaded) = &mut self.loaded else {
            return Err(ApiError::new(ErrorCode::Internal).detail("no embedder"));
        };
        let n_ctx = loaded.encoder.n_ctx() as usize;
        let (mut texts, mut truncated) = (Vec::new(), Vec::new());
        for (text, index) in request.texts.iter().zip(0..) {
            let text = loaded.prefixes.apply(request.kind, text);
            let mut ids = loaded.tokenizer.encode(&text, AddSpecial::Yes, ParseSpecial::No)?;
            if fit(&mut ids, n_ctx) {
                truncated.push(index);
            }
            texts.push(ids);
        }
        if !truncated.is_empty() {
            let (n, model) = (truncated.len(), &request.model);
            log_error(&format!("{n} texts were cut at {n_ctx} tokens, what {model} reads"));
        }
        let order = by_length(&texts);
        let mut vectors = vec![Vec::new(); texts.len()];
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            if leader.stop_embedding.get() {
                return Err(ApiError::new(ErrorCode::Cancelled));
            }
            let start_ms = now_ms();
            let n = loaded.encoder.batch_len(rest.iter().map(|&index| texts[index].len()));
            let (now, later) = rest.split_at(n);
            let batch: Vec<&[u32]> = now.iter().map(|&index| texts[index].as_slice()).collect();
            for (&index, vector) in now.iter().zip(loaded.encoder.embed_batch(&batch).await?) {
                vectors[index] = vector;
            }
            rest = later;
            if !rest.is_empty() && leader.queue.borrow().running().is_some() {
                sleep_ms(since_ms(start_ms)).await;
            }
        }
        let n_tokens = texts.iter().map(|ids| ids.len() as u64).sum();
        Ok(Made { vectors, n_tokens, truncated })
    }

    /// Sees to it that `model` is loaded on a device that is there.
    async fn make_ready(&mut self, model: &str) -> Result<(), ApiError> {
        match &self.loaded {
            Some(loaded) if loaded.encoder.gpu().is_lost() => {
                self.loaded = None;
                *self.leader.embedder.borrow_mut() = None;
            }
            Some(loaded) if loaded.model == model => return Ok(()),
            Some(_) => self.unload().await,
            None => {}
        }
        let leader = self.leader.clone();
        let loaded = {
            let activate = pin!(leader.activate_embedder(model));
            let stopped = pin!(leader.changed.until(|| leader.stop_embedding.get().then_some(())));
            match select(activate, stopped).await {
                Either::Left((loaded, _)) => loaded,
                Either::Right(_) => Err(ApiError::new(ErrorCode::Cancelled)),
            }
        };
        if loaded.is_err() && leader.stop_embedding.get() {
            leader.finish_alone(model);
        }
        self.loaded = Some(loaded?);
        Ok(())
    }

    async fn unload(&mut self) {
        let Some(old) = self.loaded.take() else { return };
        *self.leader.embedder.borrow_mut() = None;
        drop(old.encoder);
        self.leader.set_resting(&old.model).await;
    }
}

impl Leader {
    /// A job that no page waits for by id; asked for twice, it waits once.
    pub(super) fn push_embed(&self, job: EmbedJob) {
        let id = match &job {
            EmbedJob::Activate(model) => format!("activate {model}"),
            EmbedJob::Unload(model) => format!("unload {model}"),
            EmbedJob::Embed(_) => return,
        };
        let tab = portico_relay::bus::TabId(String::new());
        self.embeds.borrow_mut().push(Ticket { tab, id }, job);
        self.changed.ring();
    }

    /// The embedder's memory goes to a model that chats.
    pub(super) async fn free_embedder(&self) {
        let model = self.embedder.borrow().clone();
        let Some(model) = model else { return };
        self.push_embed(EmbedJob::Unload(model));
        self.changed.until(|| self.embedder.borrow().is_none().then_some(())).await;
    }

    pub(super) fn embedder_is_ready(&self, model: &str, encoder: &Encoder) {
        let (gpu_bytes, n_ctx) = (encoder.gpu_bytes(), encoder.n_ctx());
        *self.embedder.borrow_mut() = Some(model.to_owned());
        self.set_state(model, ModelState::Ready { gpu_bytes, n_ctx });
    }
}

/// A model that was asked for vectors and makes none.
pub fn makes_no_vectors(model: &str) -> EngineError {
    EngineError::Unsupported { reason: format!("“{model}” makes no vectors") }
}
