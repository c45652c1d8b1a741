//! Which answers wait, and how long will the next one have to?

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::generation::GenerationRequest;
use portico_shared::grammar::Constrain;
use tokio::sync::mpsc;

use crate::{Decoding, Event};

/// How much the newest answer counts in the running mean of their times.
const NEWEST: f64 = 0.2;
/// What an answer is thought to take before one has ended.
const FIRST_GUESS_S: f64 = 5.0;
/// The longest wait that a client is told.
const RETRY_AFTER_MAX_S: f64 = 120.0;

/// An answer that waits.
pub struct Job {
    pub request: GenerationRequest,
    /// Of the request's grammar.
    pub constraint: Option<Box<dyn Constrain>>,
    pub decoding: Decoding,
    pub events: mpsc::Sender<Event>,
    pub arrived: Instant,
}

impl Job {
    pub fn new(
        request: GenerationRequest,
        constraint: Option<Box<dyn Constrain>>,
        decoding: Decoding,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self { request, constraint, decoding, events, arrived: Instant::now() }
    }
}

/// What a model is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub n_running: usize,
    pub n_queued: usize,
    pub batch_size: usize,
    pub cached_tokens: usize,
}

/// Between those who ask and the model's thread.
pub struct Queue {
    max_waiting: usize,
    max_sequences: usize,
    state: Mutex<State>,
    news: Condvar,
}

struct State {
    waiting: VecDeque<Job>,
    load: Load,
    is_closed: bool,
    mean_answer_s: f64,
}

impl Queue {
    pub fn new(max_waiting: usize, max_sequences: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            load: Load::default(),
            is_closed: false,
            mean_answer_s: FIRST_GUESS_S,
        };
        Self { max_waiting, max_sequences, state: Mutex::new(state), news: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// `too_many_requests` with `retry_after_s` when the queue is full.
    pub fn push(&self, job: Job) -> Result<(), ApiError> {
        let mut state = self.state();
        if state.is_closed {
            return Err(ApiError::new(ErrorCode::Internal).detail("the model was unloaded"));
        }
        // Those who left need no place.
        state.waiting.retain(|job| !job.events.is_closed());
        let n_free = self.max_sequences.saturating_sub(state.load.n_running);
        if state.waiting.len() >= self.max_waiting + n_free {
            let rounds = (state.waiting.len() + 1) as f64 / self.max_sequences as f64;
            let wait_s = (rounds * state.mean_answer_s).clamp(1.0, RETRY_AFTER_MAX_S).ceil();
            return Err(ApiError::new(ErrorCode::TooManyRequests).with("retry_after_s", wait_s));
        }
        state.waiting.push_back(job);
        drop(state);
        self.news.notify_one();
        Ok(())
    }

    /// The next answer to begin, of those whose reader is still there.
    pub fn pop(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            let job = state.waiting.pop_front()?;
            if !job.events.is_closed() {
                return Some(job);
            }
        }
    }

    /// Sleeps until there is something to do; false: it is over.
    pub fn wait(&self) -> bool {
        let mut state = self.state();
        while state.waiting.is_empty() && !state.is_closed {
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.is_closed
    }

    pub fn set_load(&self, n_running: usize, batch_size: usize, cached_tokens: usize) {
        let load = Load { n_running, n_queued: 0, batch_size, cached_tokens };
        self.state().load = load;
    }

    pub fn load(&self) -> Load {
        let state = self.state();
        Load { n_queued: state.waiting.len(), ..state.load }
    }

    /// An answer ended that was begun `since`.
    pub fn ended(&self, since: Duration) {
        let mean = &mut self.state().mean_answer_s;
        *mean += NEWEST * (since.as_secs_f64() - *mean);
    }

    /// Nothing is taken any more; what waits is told nothing but the end of its channel.
    pub fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.waiting.clear();
        state.load = Load::default();
        drop(state);
        self.news.notify_all();
    }

    pub fn is_closed(&self) -> bool {
        self.state().is_closed
    }
}
