//! What does an answer in the making say?

use portico_shared::error::ApiError;
use portico_shared::generation::Delta;
use portico_shared::openai::{FinishReason, Place, PorticoInfo, Usage};
use tokio::sync::mpsc;

/// An answer in the making. Dropping it ends the work on it within one step.
#[derive(Debug)]
pub struct Running {
    /// Deltas, then one `End` or `Failed`.
    pub events: mpsc::Receiver<Event>,
}

/// A piece of an answer.
#[derive(Clone, Debug)]
pub enum Event {
    Delta(Delta),
    End { reason: FinishReason, usage: Usage, timings: Timings },
    Failed(ApiError),
}

/// Whether tokens are a text of their own or go on another: it decides about a first space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoding {
    Answer,
    Continuation,
}

/// How long an answer took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timings {
    /// In the queue.
    pub queue_ms: f64,
    /// From the request's arrival to its first token.
    pub time_to_first_token_ms: Option<f64>,
    /// Of the prompt tokens that did not stand in the cache.
    pub prefill_tokens_per_s: Option<f64>,
    pub decode_tokens_per_s: Option<f64>,
}

impl Timings {
    pub fn info(&self, model: &str) -> PorticoInfo {
        PorticoInfo {
            time_to_first_token_ms: self.time_to_first_token_ms,
            prefill_tokens_per_s: self.prefill_tokens_per_s,
            decode_tokens_per_s: self.decode_tokens_per_s,
            ..PorticoInfo::new(Place::Server, model)
        }
    }
}
