//! What happens between a prompt's tokens and an answer? One state machine, without IO, that drives
//! the browser's engine and the server's alike.
//!
//! A driver loops: send what [`Generation::take_delta`] gives, do what [`Generation::ask`] asks, and
//! hand over the result, until it asks for nothing more.
//!
//! ```text
//! loop {
//!     while let Some(delta) = generation.take_delta() { send(head.chat_delta(&delta)) }
//!     match generation.ask() {
//!         Ask::Score { tokens, n_top } => generation.give_scores(engine.score(&tokens, n_top).await?)?,
//!         Ask::Prefill { tokens } => {
//!             generation.set_cached(engine.prefill(&tokens).await?);
//!             generation.give_logits(&mut engine.logits().await?)?;
//!         }
//!         Ask::Step { token } => {
//!             engine.step(token).await?;
//!             generation.give_logits(&mut engine.logits().await?)?;
//!         }
//!         Ask::End { reason } => break send(head.chat_end(reason, …)),
//!     }
//! }
//! ```
//!
//! A request with a [`Grammar`](crate::grammar::Grammar) is compiled by the driver and given to
//! [`Generation::constrained`].
//!
//! Where [`Generation::gpu_plan`] names a choice that the GPU makes alone, the driver answers a
//! prefill or a step by [`Generation::give_token`] instead; tokens that a GPU running ahead still
//! delivers after the end are ignored.
//!
//! **Deltas can be resumed from**: the text sent so far is always exactly the text of the token ids
//! sent so far, so a [`Continuation`](crate::openai::Continuation) of those ids goes on without a
//! gap and without saying anything twice.

mod answer;
mod delta;
mod repetition;
mod request;
mod stop;

pub use answer::{Answer, AnswerHead};
pub use delta::{Alternative, Delta, Detokenize, ScoredToken};
pub use request::{GenerationRequest, ModelFacts};

use crate::error::{ApiError, ErrorCode};
use crate::grammar::Constrain;
use crate::openai::{FinishReason, PromptTokensDetails, Usage};
use crate::sampling::{self, GpuSampling, TokenScore, score_token};
use crate::tools::CallReader;
use repetition::Repetition;
use stop::HeldText;

/// What a generation needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The log-probability of each of `tokens` but the first, given those before it, with the
    /// `n_top` most likely tokens of each place; answered by [`Generation::give_scores`].
    Score { tokens: Vec<u32>, n_top: usize },
    /// Run `tokens`, the whole sequence so far, through the model (a prefix of it may stand in the
    /// cache); answered by the last position's logits or by the token chosen from them.
    Prefill { tokens: Vec<u32> },
    /// Run the token that was just chosen; answered in the same way.
    Step { token: u32 },
    /// Nothing: the answer is whole.
    End { reason: FinishReason },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Score,
    Prefill,
    Step(u32),
    End(FinishReason),
}

/// One answer in the making.
pub struct Generation<D> {
    request: GenerationRequest,
    detokenizer: D,
    /// Holds the text to the request's grammar.
    constraint: Option<Box<dyn Constrain>>,
    /// Ends an answer that goes round in circles.
    repetition: Option<Repetition>,
    /// Parts what is released into words and calls of tools.
    calls: Option<CallReader>,
    phase: Phase,
    /// Ids without the end token, those of the continuation first.
    generated: Vec<u32>,
    /// The grammar was followed on the shortest way, for lack of room.
    is_cut: bool,
    /// Whether an end token was generated: it counts as computed, but is never shown.
    end_token_seen: bool,
    n_cached: u64,
    /// Text that may begin a stop string.
    held_text: HeldText,
    /// The tokens behind it, and those that have no text yet.
    held: Vec<HeldToken>,
    /// Characters of the whole text (echo and answer) before `held_text`.
    n_chars_before_held: u32,
    delta: Delta,
}

struct HeldToken {
    id: u32,
    /// Where its text lies in the held text.
    start_bytes: usize,
    end_bytes: usize,
    score: Option<TokenScore>,
}

impl<D: Detokenize> Generation<D> {
    /// # Errors
    /// `context_length_exceeded` when the prompt leaves no room for a token;
    /// `invalid_request` for an empty prompt; `internal` where the request has a grammar.
    pub fn new(request: GenerationRequest, detokenizer: D) -> Result<Self, ApiError> {
        Self::constrained(request, detokenizer, None)
    }

    /// As [`Self::new`], with what the request's grammar was compiled to.
    ///
    /// # Errors
    /// As [`Self::new`]; `invalid_request` where the continuation does not follow the grammar.
    pub fn constrained(
        mut request: GenerationRequest,
        detokenizer: D,
        constraint: Option<Box<dyn Constrain>>,
    ) -> Result<Self, ApiError> {
        if request.grammar.is_some() != constraint.is_some() {
            return Err(ApiError::new(ErrorCode::Internal)
                .detail("a grammar and its constraint come together"));
        }
        if request.prompt_ids.is_empty() {
            return Err(sampling::invalid("prompt", "must hold at least one token"));
        }
        let n_prompt = request.prompt_ids.len() as u64;
        let n_ctx = u64::from(request.n_ctx);
        // A prompt that is only scored may fill the context.
        if n_prompt > n_ctx || (n_prompt == n_ctx && request.max_tokens != Some(0)) {
            return Err(ApiError::new(ErrorCode::ContextFull)
                .with("n_ctx", n_ctx)
                .detail(format!("the prompt has {n_prompt} tokens")));
        }
        let continuation = std::mem::take(&mut request.continuation);
        let mut generation = Self {
            held_text: HeldText::new(request.stop.clone()),
            detokenizer,
            constraint,
            repetition: request.stop_repetition.then(|| Repetition::from(continuation.len())),
            calls: request.tools.as_ref().map(CallReader::new),
            phase: Phase::Prefill,
            generated: Vec::new(),
            is_cut: false,
            end_token_seen: false,
            n_cached: 0,
            held: Vec::new(),
            n_chars_before_held: 0,
            delta: Delta::default(),
            request,
        };
        if generation.request.echo {
            generation.echo();
        }
        if !continuation.is_empty() {
            generation.resume(&continuation)?;
            generation.end_at_limit();
        } else if generation.scores_prompt() {
            generation.phase = Phase::Score;
        } else {
            generation.end_at_limit();
        }
        Ok(generation)
    }

    /// What is needed next; asking changes nothing.
    pub fn ask(&self) -> Ask {
        match self.phase {
            Phase::Score => Ask::Score {
                tokens: self.request.prompt_ids.clone(),
                n_top: self.request.top_logprobs.unwrap_or(0).into(),
            },
            Phase::Prefill => {
                let tokens =
                    self.request.prompt_ids.iter().chain(&self.generated).copied().collect();
                Ask::Prefill { tokens }
            }
            Phase::Step(token) => Ask::Step { token },
            Phase::End(reason) => Ask::End { reason },
        }
    }

    /// The choice that the GPU can make alone; none when log-probabilities or a form are asked for,
    /// or something else that needs the logits here.
    pub fn gpu_plan(&self) -> Option<GpuSampling> {
        match (self.request.top_logprobs, &self.constraint) {
            (None, None) => self.request.sampling.gpu_plan(),
            _ => None,
        }
    }

    /// How many of the prefilled tokens stood in the cache.
    pub fn set_cached(&mut self, n_tokens: u64) {
        self.n_cached = n_tokens;
    }

    /// Answers [`Ask::Score`]: one score for each prompt token but the first.
    ///
    /// # Errors
    /// `internal` when the scores do not belong to the prompt.
    pub fn give_scores(&mut self, scores: Vec<TokenScore>) -> Result<(), ApiError> {
        if self.phase != Phase::Score {
            return Ok(());
        }
        let prompt_ids = &self.request.prompt_ids;
        if !scores.iter().map(|score| score.id).eq(prompt_ids[1..].iter().copied()) {
            return Err(ApiError::new(ErrorCode::Internal)
                .detail("the engine scored other tokens than the prompt's"));
        }
        for (scored, score) in self.delta.scores.iter_mut().skip(1).zip(scores) {
            *scored = ScoredToken::new(&self.detokenizer, score, scored.offset_chars);
        }
        self.phase = Phase::Prefill;
        self.end_at_limit();
        Ok(())
    }

    /// Answers a prefill or a step with the last position's logits and chooses a token from them.
    ///
    /// # Errors
    /// `internal` when no logit is a number: the device computes nonsense; `invalid_request` where
    /// the grammar asks too much work.
    pub fn give_logits(&mut self, logits: &mut [f32]) -> Result<(), ApiError> {
        if !self.takes_token() {
            return Ok(());
        }
        let raw_logits = self.request.top_logprobs.map(|n_top| (logits.to_vec(), n_top));
        if let Some(constraint) = &mut self.constraint {
            constraint.mask(logits)?;
        }
        let id = sampling::sample(
            logits,
            &self.request.sampling,
            &self.request.prompt_ids,
            &self.generated,
            self.position(),
        )
        .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        let id = self.landed(id)?;
        let score = raw_logits.map(|(raw, n_top)| score_token(&raw, id, n_top.into()));
        self.accept(id, score)
    }

    /// The chosen token, or the one that brings a text which is to be cut to an end of its form.
    fn landed(&mut self, id: u32) -> Result<u32, ApiError> {
        let position = self.position();
        let (Some(constraint), false) = (&mut self.constraint, self.request.end_ids.contains(&id))
        else {
            return Ok(id);
        };
        let n_generated = self.generated.len() as u32;
        let n_granted = self.request.max_tokens.map(|max| max.saturating_sub(n_generated));
        let n_ctx_left = self.request.n_ctx.saturating_sub(position);
        let n_left = n_granted.map_or(n_ctx_left, |granted| granted.min(n_ctx_left));
        let landed = constraint.land(id, n_left)?;
        self.is_cut |= landed != id;
        Ok(landed)
    }

    /// Answers a prefill or a step with the token that the GPU chose.
    pub fn give_token(&mut self, id: u32) {
        if self.takes_token() {
            // Only a grammar refuses a token, and a GPU does not choose where there is one.
            let _ = self.accept(id, None);
        }
    }

    /// Ends the answer with what stands; text held back for a possible stop string is released.
    pub fn cancel(&mut self) {
        self.end(FinishReason::Stop);
    }

    /// Text and tokens since the last call; none when nothing was added.
    pub fn take_delta(&mut self) -> Option<Delta> {
        // An echo waits for its scores.
        if self.phase == Phase::Score || self.delta.is_empty() {
            return None;
        }
        Some(std::mem::take(&mut self.delta))
    }

    pub fn finish_reason(&self) -> Option<FinishReason> {
        match self.phase {
            Phase::End(reason) => Some(reason),
            _ => None,
        }
    }

    /// Tokens chosen so far, those of the continuation first; without the end token.
    pub fn generated_ids(&self) -> &[u32] {
        &self.generated
    }

    /// Tokens so far. An end token counts as generated, as it was computed.
    pub fn usage(&self) -> Usage {
        let prompt_tokens = self.request.prompt_ids.len() as u64;
        let completion_tokens = self.generated.len() as u64 + u64::from(self.end_token_seen);
        Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens + completion_tokens,
            // What of a continuation stood in the cache is no prompt.
            prompt_tokens_details: Some(PromptTokensDetails {
                cached_tokens: self.n_cached.min(prompt_tokens),
            }),
        }
    }

    fn takes_token(&self) -> bool {
        matches!(self.phase, Phase::Prefill | Phase::Step(_))
    }

    fn scores_prompt(&self) -> bool {
        self.request.echo
            && self.request.top_logprobs.is_some()
            && self.request.prompt_ids.len() > 1
    }

    /// The place in the sequence that the next token takes.
    fn position(&self) -> u32 {
        (self.request.prompt_ids.len() + self.generated.len()) as u32
    }

    /// Puts the prompt's text and tokens into the first delta.
    fn echo(&mut self) {
        let mut echo = Delta { token_ids: self.request.prompt_ids.clone(), ..Delta::default() };
        let mut n_chars = 0;
        for &id in &self.request.prompt_ids {
            if self.request.top_logprobs.is_some() {
                echo.scores.push(ScoredToken::unscored(&self.detokenizer, id, n_chars));
            }
            let text = self.detokenizer.push(id);
            n_chars += text.chars().count() as u32;
            echo.text.push_str(&text);
        }
        let rest = self.detokenizer.finish();
        self.n_chars_before_held = n_chars + rest.chars().count() as u32;
        echo.text.push_str(&rest);
        self.detokenizer.reset();
        self.delta = echo;
    }

    /// Takes over the tokens that stand. A stream has brought them (and the echo) already; a whole
    /// answer contains them.
    fn resume(&mut self, continuation: &[u32]) -> Result<(), ApiError> {
        for &id in continuation {
            if self.finish_reason().is_none() {
                self.push(id, None)?;
            }
        }
        if self.request.stream {
            self.delta = Delta::default();
            self.held.clear();
            let is_over = self.finish_reason().is_some();
            let shown = self.held_text.mark_shown();
            // It went through the reader before the cut.
            if let (false, Some(calls)) = (is_over, &mut self.calls) {
                calls.push(shown);
            }
        }
        Ok(())
    }

    /// Takes a chosen token and says what comes next.
    fn accept(&mut self, id: u32, score: Option<TokenScore>) -> Result<(), ApiError> {
        self.phase = Phase::Step(id);
        self.push(id, score)?;
        let generated = &self.generated;
        if self.repetition.as_mut().is_some_and(|repetition| repetition.is_circle(generated)) {
            self.end(FinishReason::Repetition);
        }
        self.end_at_limit();
        Ok(())
    }

    fn end_at_limit(&mut self) {
        let n_generated = self.generated.len() as u64;
        let enough = self.request.max_tokens.is_some_and(|max| n_generated >= u64::from(max));
        if enough || self.position() >= self.request.n_ctx {
            self.end(FinishReason::Length);
        }
    }

    /// Adds a token and its text, and ends at an end token, a stop string or the grammar's end.
    fn push(&mut self, id: u32, score: Option<TokenScore>) -> Result<(), ApiError> {
        if self.request.end_ids.contains(&id) {
            self.end_token_seen = true;
            self.end(FinishReason::Stop);
            return Ok(());
        }
        if let Some(constraint) = &mut self.constraint {
            constraint.accept(id)?;
        }
        self.generated.push(id);
        let start_bytes = self.held_text.len();
        let mut text = self.detokenizer.push(id);
        // A control token has no text, but the one that announces a call is to be seen.
        if let Some((_, marker)) = self.marker().filter(|(marker_id, _)| *marker_id == id) {
            text.push_str(marker);
        }
        self.held_text.push(&text);
        self.held.push(HeldToken { id, start_bytes, end_bytes: self.held_text.len(), score });
        if let Some(stop_bytes) = self.held_text.find_stop() {
            self.cut(stop_bytes);
            self.over(FinishReason::Stop);
        } else if !text.is_empty() {
            let safe_bytes = self.held_text.safe_bytes();
            let n_tokens = self.held.partition_point(|token| token.end_bytes <= safe_bytes);
            if let Some(last) = n_tokens.checked_sub(1) {
                self.release(n_tokens, self.held[last].end_bytes);
            }
        }
        if self.constraint.as_ref().is_some_and(|constraint| constraint.is_finished()) {
            self.end(FinishReason::Stop);
        }
        Ok(())
    }

    /// Ends the answer and releases what was held back.
    fn end(&mut self, reason: FinishReason) {
        if self.finish_reason().is_some() {
            return;
        }
        let rest = self.detokenizer.finish();
        self.held_text.push(&rest);
        match self.held_text.find_stop() {
            Some(stop_bytes) => self.cut(stop_bytes),
            None => self.release(self.held.len(), self.held_text.len()),
        }
        self.over(reason);
    }

    /// All text is released.
    fn over(&mut self, reason: FinishReason) {
        let mut reason = if self.is_cut { FinishReason::Length } else { reason };
        if let Some(calls) = &mut self.calls {
            let piece = calls.finish();
            if calls.has_calls() && reason == FinishReason::Stop {
                reason = FinishReason::ToolCalls;
            }
            self.delta.text.push_str(&piece.text);
            self.delta.calls.extend(piece.calls);
        }
        self.phase = Phase::End(reason);
    }

    fn marker(&self) -> Option<&(u32, String)> {
        self.request.tools.as_ref()?.marker.as_ref()
    }

    /// Releases what stands before a stop string, and forgets the rest.
    fn cut(&mut self, stop_bytes: usize) {
        let n_tokens = self.held.partition_point(|token| token.start_bytes < stop_bytes);
        self.release(n_tokens, stop_bytes);
        self.held.clear();
    }

    /// Moves the first held tokens and bytes of text into the delta.
    fn release(&mut self, n_tokens: usize, n_bytes: usize) {
        let mut released: Vec<HeldToken> = self.held.drain(..n_tokens).collect();
        for token in &mut released {
            self.delta.token_ids.push(token.id);
            if let Some(score) = token.score.take() {
                let offset_chars =
                    self.n_chars_before_held + self.held_text.n_chars(token.start_bytes);
                let scored = ScoredToken::new(&self.detokenizer, score, offset_chars);
                self.delta.scores.push(scored);
            }
        }
        self.n_chars_before_held += self.held_text.n_chars(n_bytes);
        let text = self.held_text.take(n_bytes);
        match &mut self.calls {
            None => self.delta.text.push_str(&text),
            Some(calls) => {
                let piece = calls.push(&text);
                self.delta.text.push_str(&piece.text);
                self.delta.calls.extend(piece.calls);
            }
        }
        for token in &mut self.held {
            token.start_bytes -= n_bytes;
            token.end_bytes -= n_bytes;
        }
    }
}

#[cfg(test)]
mod tests;
