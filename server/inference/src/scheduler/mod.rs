//! Who computes what next? One thread owns a model and all answers that it is giving.
//!
//! A step takes the next token of every answer that has begun and, beside them, a chunk of the
//! prompts that have not been read yet, so that a long prompt delays others by a chunk and no more.

mod grammars;
mod queue;
mod sequence;
mod worker;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::generation::GenerationRequest;
use portico_shared::tokenizer::Tokenizer;
use tokio::sync::mpsc;

use super::{Decoding, InferenceConfig, Model, Running, Share};
use grammars::Grammars;
use queue::{Job, Queue};
use worker::Worker;

pub use queue::Load;

/// Limits of a scheduler.
#[derive(Clone, Copy, Debug)]
pub struct SchedulerOptions {
    pub max_queue: usize,
    pub max_sequences: usize,
    pub max_pages: usize,
    pub prefill_tokens: usize,
    pub shared_prefill_tokens: usize,
}

impl SchedulerOptions {
    /// For a model that was given this share.
    pub fn new(config: &InferenceConfig, share: Share) -> Self {
        Self {
            max_queue: config.max_queue,
            max_sequences: config.max_sequences.max(1),
            max_pages: share.max_pages,
            prefill_tokens: config.prefill_tokens.max(1),
            shared_prefill_tokens: config.shared_prefill_tokens.max(1),
        }
    }
}

/// The handle of a model's thread, which ends with it.
pub struct Scheduler {
    queue: Arc<Queue>,
    grammars: Grammars,
    thread: Option<JoinHandle<()>>,
}

impl Scheduler {
    /// # Errors
    /// `internal` where no thread can be started.
    pub fn start(
        name: &str,
        model: Box<dyn Model>,
        tokenizer: Arc<Tokenizer>,
        options: SchedulerOptions,
    ) -> Result<Self, ApiError> {
        let queue = Arc::new(Queue::new(options.max_queue, options.max_sequences));
        let grammars = Grammars::new(Arc::clone(&tokenizer));
        let worker = Worker::new(model, tokenizer, options, Arc::clone(&queue));
        let thread = thread::Builder::new().name(format!("model-{name}"));
        let thread = thread.spawn(move || worker.run());
        let thread = thread.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        Ok(Self { queue, grammars, thread: Some(thread) })
    }

    /// Queues an answer. A grammar is compiled before it waits, which may take a moment.
    ///
    /// # Errors
    /// `too_many_requests` when the queue is full; `invalid_request` for a grammar that cannot be
    /// followed.
    pub fn submit(
        &self,
        request: GenerationRequest,
        decoding: Decoding,
    ) -> Result<Running, ApiError> {
        // Room for every event that an answer can have: the thread never waits for a reader.
        let n_tokens = request.n_ctx as usize + request.continuation.len();
        let (events, receiver) = mpsc::channel(n_tokens + 8);
        let constraint = self.grammars.constraint(&request)?;
        self.queue.push(Job::new(request, constraint, decoding, events))?;
        Ok(Running { events: receiver })
    }

    pub fn load(&self) -> Load {
        self.queue.load()
    }

    /// Whether the thread has ended, which happens only by a bug.
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // A panic was logged where it happened.
            let _ = thread.join();
        }
    }
}
