//! What does a model's thread do, step by step?

use std::collections::VecDeque;
use std::sync::Arc;

use portico_kernels::{Isa, PAGE_TOKENS, Pool, SharedMut};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::tokenizer::Tokenizer;

use super::SchedulerOptions;
use super::queue::Queue;
use super::sequence::{Next, Sequence};
use crate::pages::PagePool;
use crate::step::{Batch, Model, Row};

/// Prompt tokens that are scored in a step: each needs a row of logits.
const SCORED_TOKENS: usize = 32;

/// A model's thread.
pub struct Worker {
    model: Box<dyn Model>,
    tokenizer: Arc<Tokenizer>,
    options: SchedulerOptions,
    queue: Arc<Queue>,
    pool: PagePool,
    /// The longest-running first.
    running: Vec<Sequence>,
    /// Those whose pages others needed; they go on, before new ones begin, when there is room.
    parked: VecDeque<Sequence>,
    logits: Vec<f32>,
}

/// A sequence's part of a step.
struct Part {
    /// Among the running ones.
    sequence: usize,
    n_tokens: usize,
    /// Rows of logits it gets.
    n_wanted: usize,
}

/// Closes the queue when the thread ends, also by a panic.
struct CloseOnDrop(Arc<Queue>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Worker {
    pub fn new(
        model: Box<dyn Model>,
        tokenizer: Arc<Tokenizer>,
        options: SchedulerOptions,
        queue: Arc<Queue>,
    ) -> Self {
        let pool = PagePool::new(options.max_pages);
        Self {
            model,
            tokenizer,
            options,
            queue,
            pool,
            running: Vec::new(),
            parked: VecDeque::new(),
            logits: Vec::new(),
        }
    }

    pub fn run(mut self) {
        let _close = CloseOnDrop(Arc::clone(&self.queue));
        loop {
            self.forget_cancelled();
            self.admit();
            if self.running.is_empty() {
                self.report(0);
                if !self.queue.wait() {
                    return;
                }
                continue;
            }
            if self.queue.is_closed() {
                return;
            }
            let batch_size = self.step();
            self.report(batch_size);
        }
    }

    fn report(&self, batch_size: usize) {
        let n_running = self.running.len() + self.parked.len();
        self.queue.set_load(n_running, batch_size, self.pool.cached_tokens());
    }

    fn forget_cancelled(&mut self) {
        let mut index = 0;
        while index < self.running.len() {
            if self.running[index].is_cancelled() {
                self.remove(index);
            } else {
                index += 1;
            }
        }
        self.parked.retain(|sequence| !sequence.is_cancelled());
    }

    fn remove(&mut self, index: usize) {
        let mut sequence = self.running.remove(index);
        self.pool.close(std::mem::take(&mut sequence.table));
        self.queue.ended(sequence.begun().elapsed());
    }

    /// Begins answers while there is room for their prompts.
    fn admit(&mut self) {
        while self.running.len() < self.options.max_sequences {
            let sequence = match self.parked.pop_front() {
                Some(sequence) => Some(sequence),
                None => match self.queue.pop() {
                    None => return,
                    Some(job) => {
                        Sequence::begin(job, &self.tokenizer).and_then(
                            |mut sequence| match sequence.advance() {
                                Next::Compute => Some(sequence),
                                Next::Ended => None,
                            },
                        )
                    }
                },
            };
            let Some(mut sequence) = sequence else { continue };
            let needed = sequence.tokens.len() / PAGE_TOKENS + 1;
            if needed > self.pool.n_available() && !self.running.is_empty() {
                self.parked.push_front(sequence);
                return;
            }
            if !sequence.scores() {
                sequence.table = self.pool.open(&sequence.tokens);
            }
            sequence.set_cached();
            self.running.push(sequence);
        }
    }

    /// Computes a step; its rows.
    fn step(&mut self) -> usize {
        let parts = self.plan();
        let mut batch = Batch { rows: Vec::new(), tables: Vec::new(), wanted: Vec::new() };
        for (index, part) in parts.iter().enumerate() {
            let sequence = &self.running[part.sequence];
            let from = sequence.table.n_tokens;
            let to = from + part.n_tokens;
            for position in from..to {
                let token = sequence.tokens[position];
                batch.rows.push(Row { token, position, sequence: index });
            }
            let n_rows = batch.rows.len();
            batch.wanted.extend(n_rows - part.n_wanted..n_rows);
            batch.tables.push(&sequence.table.pages);
        }
        let n_rows = batch.rows.len();
        if n_rows == 0 {
            return 0;
        }
        let held = self.model.hold_pages(self.pool.n_pages());
        let done = held.and_then(|()| self.model.step(&batch, &mut self.logits));
        drop(batch);
        match done {
            Ok(()) => self.finish(&parts),
            Err(error) => {
                for index in (0..self.running.len()).rev() {
                    self.running[index].fail(error.clone());
                    self.remove(index);
                }
            }
        }
        n_rows
    }

    /// Which tokens the step computes, with pages for them.
    fn plan(&mut self) -> Vec<Part> {
        let is_anybody_decoding = self.running.iter().any(|sequence| sequence.is_decoding);
        let mut prefill_left = if is_anybody_decoding {
            self.options.shared_prefill_tokens
        } else {
            self.options.prefill_tokens
        };
        let mut parts = Vec::new();
        let mut index = 0;
        while index < self.running.len() {
            let sequence = &self.running[index];
            let n_pending = sequence.n_pending();
            let n_tokens = match (sequence.is_decoding, sequence.scores()) {
                // A parked one that comes back has its answer so far to compute, too.
                (true, _) if n_pending == 1 => 1,
                (_, true) => n_pending.min(prefill_left).min(SCORED_TOKENS),
                (_, false) => n_pending.min(prefill_left),
            };
            if n_tokens == 0 {
                index += 1;
                continue;
            }
            if !self.reserve(index, n_tokens) {
                // It was parked itself, or has failed.
                continue;
            }
            let sequence = &self.running[index];
            if n_pending > 1 {
                prefill_left -= n_tokens;
            }
            let is_last = n_tokens == n_pending;
            let n_wanted = if sequence.scores() { n_tokens } else { usize::from(is_last) };
            parts.push(Part { sequence: index, n_tokens, n_wanted });
            index += 1;
        }
        parts
    }

    /// Pages for `n_tokens` more of a sequence, if need be from those that began after it.
    fn reserve(&mut self, index: usize, n_tokens: usize) -> bool {
        loop {
            let sequence = &mut self.running[index];
            let n_all = sequence.table.n_tokens + n_tokens;
            if self.pool.reserve(&mut sequence.table, n_all) {
                return true;
            }
            let last = self.running.len() - 1;
            if last == 0 {
                let error = ApiError::new(ErrorCode::ContextFull)
                    .with("n_ctx", self.options.max_pages * PAGE_TOKENS);
                self.running[0].fail(error);
                self.remove(0);
                return false;
            }
            let mut parked = self.running.remove(last);
            self.pool.close(std::mem::take(&mut parked.table));
            self.parked.push_front(parked);
            if last == index {
                return false;
            }
        }
    }

    /// Hands out the logits and moves every sequence on.
    fn finish(&mut self, parts: &[Part]) {
        let stride = self.model.logits_stride();
        let n_vocab = self.model.config().n_vocab as usize;
        let isa = Isa::detect();
        let mut failed: Vec<(usize, ApiError)> = Vec::new();
        let mut choices = Vec::new();
        let mut at = 0;
        for part in parts {
            let sequence = &mut self.running[part.sequence];
            let from = sequence.table.n_tokens;
            let n_done = from + part.n_tokens;
            self.pool.filled(&mut sequence.table, &sequence.tokens[..n_done]);
            if sequence.scores() {
                for position in from..n_done {
                    let logits = &self.logits[at * stride..][..n_vocab];
                    at += 1;
                    if let Err(error) = sequence.take_score(position, logits) {
                        failed.push((part.sequence, error));
                        break;
                    }
                }
            } else if part.n_wanted > 0 {
                choices.push((part.sequence, at));
                at += 1;
            }
        }
        let results = choose(
            self.model.pool(),
            isa,
            &mut self.running,
            &mut self.logits,
            &choices,
            stride,
            n_vocab,
        );
        for (&(index, _), result) in choices.iter().zip(results) {
            if let Err(error) = result {
                failed.push((index, error));
            }
        }
        for (index, error) in &failed {
            self.running[*index].fail(error.clone());
        }
        // From the end, so that places before it stay.
        for part in parts.iter().rev() {
            let index = part.sequence;
            let has_failed = failed.iter().any(|(failed, _)| *failed == index);
            let sequence = &mut self.running[index];
            let is_waiting = part.n_wanted == 0 || sequence.scores();
            if has_failed || (!is_waiting && matches!(sequence.advance(), Next::Ended)) {
                self.remove(index);
            }
        }
    }
}

/// Chooses the next token of several sequences, each `(sequence, row of logits)`.
fn choose(
    pool: &Pool,
    isa: Isa,
    running: &mut [Sequence],
    logits: &mut [f32],
    choices: &[(usize, usize)],
    stride: usize,
    n_vocab: usize,
) -> Vec<Result<(), ApiError>> {
    let mut results: Vec<Result<(), ApiError>> = choices.iter().map(|_| Ok(())).collect();
    let (running, logits) = (SharedMut::new(running), SharedMut::new(logits));
    let shared = SharedMut::new(&mut results);
    pool.run(choices.len(), &|at| {
        let (sequence, row) = choices[at];
        // SAFETY: each sequence, each row and each result is one chunk's.
        unsafe {
            let logits = logits.part(row * stride, n_vocab);
            let sequence = &mut running.part(sequence, 1)[0];
            shared.part(at, 1)[0] = sequence.take_logits(isa, logits);
        }
    });
    results
}
