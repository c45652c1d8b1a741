//! How does one answer stand among the others?

use std::sync::Arc;
use std::time::Instant;

use portico_kernels::{Isa, argmax};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::generation::{Ask, Generation};
use portico_shared::openai::FinishReason;
use portico_shared::sampling::{GpuSampling, TokenScore, score_token};
use portico_shared::tokenizer::{SkipSpecial, StreamDecoder, Tokenizer};
use tokio::sync::mpsc;

use super::queue::Job;
use crate::pages::PageTable;
use crate::{Decoding, Event, Timings};

/// An answer that is being computed.
pub struct Sequence {
    generation: Generation<StreamDecoder>,
    events: mpsc::Sender<Event>,
    /// All tokens so far; those behind `table.n_tokens` are still to be computed.
    pub tokens: Vec<u32>,
    pub table: PageTable,
    /// The prompt's own probabilities, while they are asked for.
    scoring: Option<Scoring>,
    /// Whether a token was chosen since the last prefill was asked for.
    pub is_decoding: bool,
    /// Tokens that an echo still puts before the answer's own.
    n_echoed: usize,
    clock: Clock,
}

struct Scoring {
    n_top: usize,
    scores: Vec<TokenScore>,
}

/// When what happened to an answer.
struct Clock {
    arrived: Instant,
    begun: Instant,
    first_token: Option<Instant>,
    last_token: Instant,
    n_tokens: u64,
    /// Prompt tokens that were computed before the first token.
    n_prefilled: usize,
}

/// What an answer needs after a step.
pub enum Next {
    Compute,
    Ended,
}

impl Sequence {
    /// Begins an answer; none when that failed, which its reader was told.
    pub fn begin(job: Job, tokenizer: &Arc<Tokenizer>) -> Option<Self> {
        let Job { request, constraint, decoding, events, arrived } = job;
        let decoder = match decoding {
            Decoding::Answer => StreamDecoder::new(Arc::clone(tokenizer), SkipSpecial::Yes),
            Decoding::Continuation => {
                StreamDecoder::continuing(Arc::clone(tokenizer), SkipSpecial::Yes)
            }
        };
        let is_resumed = request.stream && !request.continuation.is_empty();
        let n_echoed = if request.echo && !is_resumed { request.prompt_ids.len() } else { 0 };
        let generation = match Generation::constrained(request, decoder, constraint) {
            Ok(generation) => generation,
            Err(error) => {
                // A reader that has gone needs no answer.
                let _ = events.try_send(Event::Failed(error));
                return None;
            }
        };
        let now = Instant::now();
        Some(Self {
            generation,
            events,
            tokens: Vec::new(),
            table: PageTable::default(),
            scoring: None,
            is_decoding: false,
            n_echoed,
            clock: Clock {
                arrived,
                begun: now,
                first_token: None,
                last_token: now,
                n_tokens: 0,
                n_prefilled: 0,
            },
        })
    }

    pub fn is_cancelled(&self) -> bool {
        self.events.is_closed()
    }

    pub fn begun(&self) -> Instant {
        self.clock.begun
    }

    /// Whether every position's logits are wanted, not only the last one's.
    pub fn scores(&self) -> bool {
        self.scoring.is_some()
    }

    pub fn n_pending(&self) -> usize {
        self.tokens.len() - self.table.n_tokens
    }

    /// How many of its tokens stood in the cache when it began.
    pub fn set_cached(&mut self) {
        if self.clock.first_token.is_none() {
            self.generation.set_cached(self.table.n_tokens as u64);
            self.clock.n_prefilled = self.n_pending();
        }
    }

    /// Says what is new and takes what is asked for next.
    pub fn advance(&mut self) -> Next {
        while let Some(mut delta) = self.generation.take_delta() {
            let n = self.n_echoed.min(delta.token_ids.len());
            delta.token_ids.drain(..n);
            self.n_echoed -= n;
            self.send(Event::Delta(delta));
        }
        match self.generation.ask() {
            Ask::End { reason } => {
                self.end(reason);
                return Next::Ended;
            }
            Ask::Score { tokens, n_top } => {
                self.scoring = Some(Scoring { n_top, scores: Vec::new() });
                self.tokens = tokens;
            }
            Ask::Prefill { tokens } => {
                // After scoring all is computed, and the last position's logits are wanted again.
                self.table.n_tokens = self.table.n_tokens.min(tokens.len().saturating_sub(1));
                self.tokens = tokens;
                self.is_decoding = false;
            }
            Ask::Step { token } => {
                self.tokens.push(token);
                self.is_decoding = true;
            }
        }
        Next::Compute
    }

    /// Takes the logits of the last token.
    ///
    /// # Errors
    /// `internal` when no logit is a number.
    pub fn take_logits(&mut self, isa: Isa, logits: &mut [f32]) -> Result<(), ApiError> {
        match self.generation.gpu_plan() {
            Some(GpuSampling::Greedy) => {
                let best = argmax(isa, logits).ok_or_else(|| {
                    ApiError::new(ErrorCode::Internal).detail("no logit is a number")
                })?;
                self.generation.give_token(best as u32);
            }
            _ => self.generation.give_logits(logits)?,
        }
        let now = Instant::now();
        self.clock.first_token.get_or_insert(now);
        self.clock.last_token = now;
        self.clock.n_tokens += 1;
        Ok(())
    }

    /// Takes the logits of the prompt's token at `position` while its probabilities are asked for.
    ///
    /// # Errors
    /// `internal` when they belong to another prompt.
    pub fn take_score(&mut self, position: usize, logits: &[f32]) -> Result<(), ApiError> {
        let Some(scoring) = &mut self.scoring else { return Ok(()) };
        if let Some(&next) = self.tokens.get(position + 1) {
            scoring.scores.push(score_token(logits, next, scoring.n_top));
            return Ok(());
        }
        let scores = std::mem::take(&mut scoring.scores);
        self.scoring = None;
        self.generation.give_scores(scores)
    }

    pub fn fail(&self, error: ApiError) {
        self.send(Event::Failed(error));
    }

    fn end(&self, reason: FinishReason) {
        let clock = &self.clock;
        let ms = |since: Instant, at: Instant| at.duration_since(since).as_secs_f64() * 1e3;
        let per_s = |n: f64, ms: f64| (n > 0.0 && ms > 0.0).then(|| n * 1e3 / ms);
        let timings = Timings {
            queue_ms: ms(clock.arrived, clock.begun),
            time_to_first_token_ms: clock.first_token.map(|first| ms(clock.arrived, first)),
            prefill_tokens_per_s: clock
                .first_token
                .and_then(|first| per_s(clock.n_prefilled as f64, ms(clock.begun, first))),
            decode_tokens_per_s: clock.first_token.and_then(|first| {
                per_s(clock.n_tokens.saturating_sub(1) as f64, ms(first, clock.last_token))
            }),
        };
        self.send(Event::End { reason, usage: self.generation.usage(), timings });
    }

    /// A reader that has gone is noticed before the next step.
    fn send(&self, event: Event) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.events.try_send(event) {
            tracing::error!("an answer has more events than its channel has places");
        }
    }
}
