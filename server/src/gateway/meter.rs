//! What did a request use?
//!
//! Counted as it happens, so that a stream that is cut off is counted up to there. When the meter is
//! dropped, however the request ended, one line is logged, without a word of what was said.

use std::sync::Arc;
use std::time::Instant;

use portico_shared::openai::Usage;

use super::{Caller, Gateway};
use crate::keys::Spent;
use crate::metrics::ModelLabels;
use crate::people::audit::Entry;

/// Bytes of a prompt for a token, where an upstream is cut off before it says how many there were.
const BYTES_PER_TOKEN: usize = 4;

/// Counts one request.
pub struct Meter {
    gateway: Arc<Gateway>,
    who: String,
    /// Whose key asks: what it uses is theirs too.
    person: Option<String>,
    name: String,
    route: &'static str,
    labels: ModelLabels,
    start: Instant,
    last_piece: Option<Instant>,
    counted: Spent,
    /// Of a prompt whose tokens nobody has told.
    prompt_estimate: u64,
    outcome: &'static str,
}

impl Meter {
    /// For a request that `upstream` answers, or this process where that is empty.
    pub fn new(
        gateway: &Arc<Gateway>,
        caller: &Caller,
        route: &'static str,
        model: &str,
        upstream: &str,
        start: Instant,
    ) -> Self {
        let place = if upstream.is_empty() { "server" } else { "upstream" };
        let meter = Self {
            gateway: Arc::clone(gateway),
            who: caller.who.clone(),
            person: caller.person().filter(|_| caller.has_key()).map(|id| id.to_string()),
            name: caller.name.clone(),
            route,
            labels: ModelLabels { model: model.to_owned(), place, upstream: upstream.to_owned() },
            start,
            last_piece: None,
            counted: Spent::default(),
            prompt_estimate: 0,
            outcome: "cut",
        };
        meter.book(Spent { requests: 1, ..Spent::default() });
        meter
    }

    /// How much a prompt of so many bytes may be, should nobody tell.
    pub fn expect_prompt(&mut self, bytes: usize) {
        self.prompt_estimate = bytes.div_ceil(BYTES_PER_TOKEN) as u64;
    }

    pub fn prompt(&mut self, tokens: u64) {
        self.prompt_estimate = 0;
        self.count(Spent { prompt_tokens: tokens, ..Spent::default() });
    }

    /// A piece of the answer with so many tokens.
    pub fn piece(&mut self, tokens: u64) {
        let now = Instant::now();
        match self.last_piece.replace(now) {
            None => self.gateway.metrics.first_token(&self.labels, now - self.start),
            Some(last) => self.gateway.metrics.next_token(&self.labels, now - last),
        }
        self.count(Spent { completion_tokens: tokens, ..Spent::default() });
    }

    /// What was used in all, as whoever answered says: what is missing is added.
    pub fn settle(&mut self, usage: &Usage) {
        self.prompt_estimate = 0;
        self.count(Spent {
            requests: 0,
            prompt_tokens: usage.prompt_tokens.saturating_sub(self.counted.prompt_tokens),
            completion_tokens: usage
                .completion_tokens
                .saturating_sub(self.counted.completion_tokens),
        });
    }

    /// How it ended: `ok`, or an error's code.
    pub fn end(&mut self, outcome: &'static str) {
        self.outcome = outcome;
    }

    fn count(&mut self, spent: Spent) {
        self.counted.prompt_tokens += spent.prompt_tokens;
        self.counted.completion_tokens += spent.completion_tokens;
        self.gateway.metrics.tokens(&self.labels, "prompt", spent.prompt_tokens);
        self.gateway.metrics.tokens(&self.labels, "completion", spent.completion_tokens);
        if spent != Spent::default() {
            self.book(spent);
        }
    }

    fn book(&self, spent: Spent) {
        let ModelLabels { model, place, .. } = &self.labels;
        self.gateway.keys.book.add(&self.who, model, place, spent);
        if let Some(person) = &self.person {
            self.gateway.keys.book.add(person, model, place, spent);
        }
        self.gateway.keys.spend(&self.who, spent.tokens());
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        // Whoever broke it off had the prompt read nevertheless.
        let estimate = std::mem::take(&mut self.prompt_estimate);
        self.count(Spent { prompt_tokens: estimate, ..Spent::default() });
        self.gateway.metrics.request(&self.labels, self.route, self.outcome);
        self.gateway.people.audit.note(Entry {
            key: self.person.as_ref().map(|_| self.who.clone()),
            model: Some(self.labels.model.clone()),
            place: Some(self.labels.place.to_owned()),
            prompt_tokens: Some(self.counted.prompt_tokens),
            completion_tokens: Some(self.counted.completion_tokens),
            outcome: self.outcome.to_owned(),
            ..Entry::act(self.person.as_ref().unwrap_or(&self.who), self.route, "")
        });
        tracing::info!(
            who = self.who,
            name = self.name,
            route = self.route,
            model = self.labels.model,
            place = self.labels.place,
            upstream = self.labels.upstream,
            prompt_tokens = self.counted.prompt_tokens,
            completion_tokens = self.counted.completion_tokens,
            ms = self.start.elapsed().as_millis() as u64,
            outcome = self.outcome,
            "answered"
        );
    }
}
