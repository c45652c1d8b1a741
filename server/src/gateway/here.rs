//! How does a model in this process answer?

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::generation::{Answer, AnswerHead, Delta, GenerationRequest};
use portico_shared::openai::{
    ChatCompletion, ChatCompletionChunk, ChatCompletionRequest, Completion, CompletionRequest,
    FinishReason, PorticoInfo, Prompt, Usage,
};
use portico_shared::template::{RenderOptions, TemplateError};
use portico_shared::tokenizer::{AddSpecial, ParseSpecial};
use serde::Serialize;

use super::Gateway;
use super::body::invalid;
use super::events::{Pieces, Source, pieces};
use super::meter::Meter;
use crate::inference::{Decoding, Event, HostedModel, Running};

/// Answers in the making to one request: several where it asks for `n`, or names several prompts.
pub struct Answers {
    pub head: AnswerHead,
    /// With the place of the choice that each belongs to.
    events: BoxStream<'static, (u32, Event)>,
    n_choices: usize,
    pub prompt_tokens: u64,
}

/// What a whole answer's choice ended with.
struct Ended {
    answer: Answer,
    reason: FinishReason,
    portico: PorticoInfo,
}

impl Gateway {
    pub async fn hosted(&self, id: &str) -> Result<Arc<HostedModel>, ApiError> {
        self.inference.model(id).await
    }

    /// # Errors
    /// `invalid_request` and what the model or its queue refuse.
    pub async fn chat_here(
        &self,
        model: &Arc<HostedModel>,
        request: ChatCompletionRequest,
    ) -> Result<Answers, ApiError> {
        let n_choices = self.n_choices(request.n)?;
        let hosted = Arc::clone(model);
        let (mut request, prompt_ids) = off_thread(move || {
            let prompt_ids = chat_prompt(&hosted, &request)?;
            Ok((request, prompt_ids))
        })
        .await?;
        self.check_prompt(&prompt_ids)?;
        request.n = None;
        let (seed, fresh_seed) = (request.sampling.seed, fresh_seed());
        let requests = (0..n_choices).map(|i| {
            request.sampling.seed = seed.map(|seed| seed.wrapping_add(i.into()));
            let fresh_seed = fresh_seed.wrapping_add(i.into());
            let standing = request.portico_continue.as_ref();
            GenerationRequest::from_chat(&request, prompt_ids.clone(), &model.facts, fresh_seed)?
                .with_standing_text(standing, &model.tokenizer)
        });
        let requests = requests.collect::<Result<Vec<_>, _>>()?;
        self.generate(model, "chatcmpl", requests, Decoding::Answer, prompt_ids.len()).await
    }

    /// One request for each prompt; choices are numbered prompt by prompt.
    pub async fn complete_here(
        &self,
        model: &Arc<HostedModel>,
        requests: Vec<CompletionRequest>,
    ) -> Result<Answers, ApiError> {
        let (hosted, limits) = (Arc::clone(model), self.config.limits.clone());
        let n_choices = self.n_choices(requests.first().and_then(|request| request.n))?;
        // With an echo the prompt's text is a part of the answer's.
        let decoding = match requests.iter().all(|request| request.echo) {
            true => Decoding::Answer,
            false => Decoding::Continuation,
        };
        let generations = off_thread(move || {
            let mut generations = Vec::new();
            let mut n_prompt = 0;
            for mut request in requests {
                let prompt_ids = completion_prompt(&hosted, &request)?;
                check_prompt(&prompt_ids, limits.max_prompt_tokens)?;
                n_prompt += prompt_ids.len();
                request.n = None;
                let seed = request.sampling.seed;
                for i in 0..n_choices {
                    request.sampling.seed = seed.map(|seed| seed.wrapping_add(i.into()));
                    generations.push(GenerationRequest::from_completion(
                        &request,
                        prompt_ids.clone(),
                        &hosted.facts,
                        fresh_seed(),
                    )?);
                }
            }
            Ok((generations, n_prompt))
        });
        let (generations, n_prompt) = generations.await?;
        self.generate(model, "cmpl", generations, decoding, n_prompt).await
    }

    async fn generate(
        &self,
        model: &Arc<HostedModel>,
        prefix: &str,
        requests: Vec<GenerationRequest>,
        decoding: Decoding,
        n_prompt: usize,
    ) -> Result<Answers, ApiError> {
        let n_choices = requests.len();
        let mut running = Vec::with_capacity(n_choices);
        for request in requests {
            running.push(self.inference.generate_as(model, request, decoding).await?);
        }
        let events = running.into_iter().zip(0..).map(|(running, i)| events(running, i));
        Ok(Answers {
            head: AnswerHead {
                id: fresh_id(prefix),
                created: crate::keys::now_s(),
                model: model.id.clone(),
            },
            events: stream::select_all(events).boxed(),
            n_choices,
            prompt_tokens: n_prompt as u64,
        })
    }

    fn n_choices(&self, n: Option<u32>) -> Result<u32, ApiError> {
        let (n, max) = (n.unwrap_or(1), self.config.limits.max_choices);
        match (1..=max).contains(&n) {
            true => Ok(n),
            false => Err(invalid(Some("n"), format!("`n` must be between 1 and {max}"))),
        }
    }

    pub fn check_prompt(&self, prompt_ids: &[u32]) -> Result<(), ApiError> {
        check_prompt(prompt_ids, self.config.limits.max_prompt_tokens)
    }
}

fn check_prompt(prompt_ids: &[u32], max: usize) -> Result<(), ApiError> {
    match prompt_ids.len() > max {
        false => Ok(()),
        true => Err(ApiError::new(ErrorCode::ContextFull)
            .with("n_ctx", max)
            .detail(format!("the prompt has {} tokens", prompt_ids.len()))),
    }
}

/// The token ids of a conversation, up to where the answer begins.
pub fn chat_prompt(
    model: &HostedModel,
    request: &ChatCompletionRequest,
) -> Result<Vec<u32>, ApiError> {
    let template = model.template.as_ref().ok_or(TemplateError::Missing)?;
    let options = RenderOptions::answer(crate::keys::now_s() as i64);
    let text = template.render(&request.messages, request.offered_tools(), &options)?;
    Ok(model.tokenizer.encode(&text, AddSpecial::No, ParseSpecial::Yes)?)
}

fn completion_prompt(
    model: &HostedModel,
    request: &CompletionRequest,
) -> Result<Vec<u32>, ApiError> {
    match &request.prompt {
        Prompt::TokenIds(ids) => Ok(ids.clone()),
        Prompt::Text(text) => {
            Ok(model.tokenizer.encode(text, AddSpecial::Yes, ParseSpecial::No)?)
        }
    }
}

/// Rendering and tokenising a long conversation takes a while.
pub async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(ApiError::new(ErrorCode::Internal).detail(error)),
    }
}

/// Dropping the stream drops what is running, which ends it.
fn events(running: Running, index: u32) -> BoxStream<'static, (u32, Event)> {
    stream::unfold(running, move |mut running| async move {
        let event = running.events.recv().await?;
        Some(((index, event), running))
    })
    .boxed()
}

/// `chatcmpl-` and 24 digits that nobody can guess.
pub fn fresh_id(prefix: &str) -> String {
    let mut bytes = [0; 12];
    if getrandom::fill(&mut bytes).is_err() {
        // An id that only differs from others is enough here.
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_nanos());
        bytes = (nanos as u64).to_le_bytes().repeat(2)[..12].try_into().unwrap_or(bytes);
    }
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}-{digits}")
}

fn fresh_seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| crate::keys::now_s())
}

/// The two kinds of answer that a generation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Chat,
    Completion,
}

impl Answers {
    /// The answer as it comes. The meter counts with it and goes with it.
    pub fn pieces(self, kind: Kind, include_usage: bool, meter: Meter) -> Pieces {
        let n_choices = self.n_choices;
        pieces(AnswerSource {
            answers: self,
            kind,
            include_usage,
            meter,
            has_begun: false,
            n_running: n_choices,
            usage: Usage::default(),
        })
    }

    pub async fn chat_whole(self, meter: Meter) -> Result<ChatCompletion, ApiError> {
        let head = self.head.clone();
        let (ended, usage) = self.whole(meter).await?;
        let mut whole: Option<ChatCompletion> = None;
        for (each, index) in ended.into_iter().zip(0..) {
            let mut one = head.chat_whole(&each.answer, each.reason, usage, each.portico);
            for choice in &mut one.choices {
                choice.index = index;
            }
            match &mut whole {
                None => whole = Some(one),
                Some(whole) => whole.choices.extend(one.choices),
            }
        }
        whole.ok_or_else(|| ApiError::new(ErrorCode::Internal).detail("an answer without choices"))
    }

    pub async fn completion_whole(self, meter: Meter) -> Result<Completion, ApiError> {
        let head = self.head.clone();
        let (ended, usage) = self.whole(meter).await?;
        let mut whole: Option<Completion> = None;
        for (each, index) in ended.into_iter().zip(0..) {
            let mut one = head.completion_whole(&each.answer, each.reason, usage, each.portico);
            for choice in &mut one.choices {
                choice.index = index;
            }
            match &mut whole {
                None => whole = Some(one),
                Some(whole) => whole.choices.extend(one.choices),
            }
        }
        whole.ok_or_else(|| ApiError::new(ErrorCode::Internal).detail("an answer without choices"))
    }

    /// Every choice to its end, and what all used together.
    async fn whole(mut self, mut meter: Meter) -> Result<(Vec<Ended>, Usage), ApiError> {
        let mut answers: Vec<Answer> = (0..self.n_choices).map(|_| Answer::default()).collect();
        let mut ended: Vec<Option<Ended>> = (0..self.n_choices).map(|_| None).collect();
        let mut usage = Usage::default();
        meter.prompt(self.prompt_tokens);
        while let Some((index, event)) = self.events.next().await {
            let i = index as usize;
            match event {
                Event::Delta(delta) => {
                    meter.piece(delta.token_ids.len() as u64);
                    answers[i].add(delta);
                }
                Event::End { reason, usage: used, timings } => {
                    add_usage(&mut usage, &used, self.prompt_tokens);
                    let answer = std::mem::take(&mut answers[i]);
                    let portico = timings.info(&self.head.model);
                    ended[i] = Some(Ended { answer, reason, portico });
                }
                Event::Failed(error) => {
                    meter.end(error.code.as_str());
                    return Err(error);
                }
            }
        }
        let ended: Option<Vec<Ended>> = ended.into_iter().collect();
        let Some(ended) = ended else {
            meter.end(ErrorCode::Internal.as_str());
            return Err(ApiError::new(ErrorCode::Internal).detail("an answer without an end"));
        };
        meter.settle(&usage);
        meter.end("ok");
        Ok((ended, usage))
    }
}

/// Adds a choice's tokens; a prompt that several choices share counts once.
fn add_usage(sum: &mut Usage, used: &Usage, prompt_tokens: u64) {
    sum.prompt_tokens = prompt_tokens;
    sum.completion_tokens += used.completion_tokens;
    sum.total_tokens = sum.prompt_tokens + sum.completion_tokens;
    sum.prompt_tokens_details = sum.prompt_tokens_details.or(used.prompt_tokens_details);
}

struct AnswerSource {
    answers: Answers,
    kind: Kind,
    include_usage: bool,
    meter: Meter,
    has_begun: bool,
    n_running: usize,
    usage: Usage,
}

impl Source for AnswerSource {
    async fn fill(&mut self, ready: &mut VecDeque<Result<Bytes, ApiError>>) -> bool {
        let Some((index, event)) = self.answers.events.next().await else {
            let detail = "an answer without an end";
            self.meter.end(ErrorCode::Internal.as_str());
            ready.push_back(Err(ApiError::new(ErrorCode::Internal).detail(detail)));
            return false;
        };
        if let Event::Failed(error) = event {
            self.meter.end(error.code.as_str());
            ready.push_back(Err(error));
            return false;
        }
        if !self.has_begun {
            self.has_begun = true;
            self.meter.prompt(self.answers.prompt_tokens);
            if self.kind == Kind::Chat {
                for index in 0..self.answers.n_choices as u32 {
                    ready.push_back(self.chat(self.answers.head.chat_opening(), index));
                }
            }
        }
        match event {
            Event::Delta(delta) => {
                self.meter.piece(delta.token_ids.len() as u64);
                let piece = self.delta(&delta, index);
                ready.push_back(piece);
                true
            }
            Event::End { reason, usage, timings } => {
                add_usage(&mut self.usage, &usage, self.answers.prompt_tokens);
                let portico = timings.info(&self.answers.head.model);
                let head = &self.answers.head;
                let piece = match self.kind {
                    Kind::Chat => self.chat(head.chat_end(reason, None, Some(portico)), index),
                    Kind::Completion => {
                        self.completion(head.completion_end(reason, None, Some(portico)), index)
                    }
                };
                ready.push_back(piece);
                self.n_running = self.n_running.saturating_sub(1);
                if self.n_running > 0 {
                    return true;
                }
                self.meter.settle(&self.usage);
                self.meter.end("ok");
                if self.include_usage {
                    ready.push_back(self.usage_piece(reason));
                }
                false
            }
            Event::Failed(_) => false,
        }
    }
}

impl AnswerSource {
    fn delta(&self, delta: &Delta, index: u32) -> Result<Bytes, ApiError> {
        match self.kind {
            Kind::Chat => self.chat(self.answers.head.chat_delta(delta), index),
            Kind::Completion => self.completion(self.answers.head.completion_delta(delta), index),
        }
    }

    fn chat(&self, mut chunk: ChatCompletionChunk, index: u32) -> Result<Bytes, ApiError> {
        for choice in &mut chunk.choices {
            choice.index = index;
        }
        json(&chunk)
    }

    fn completion(&self, mut piece: Completion, index: u32) -> Result<Bytes, ApiError> {
        for choice in &mut piece.choices {
            choice.index = index;
        }
        json(&piece)
    }

    /// The event behind the last choice's end, without choices.
    fn usage_piece(&self, reason: FinishReason) -> Result<Bytes, ApiError> {
        let head = &self.answers.head;
        match self.kind {
            Kind::Chat => {
                let mut chunk = head.chat_end(reason, Some(self.usage), None);
                chunk.choices.clear();
                json(&chunk)
            }
            Kind::Completion => {
                let mut piece = head.completion_end(reason, Some(self.usage), None);
                piece.choices.clear();
                json(&piece)
            }
        }
    }
}

pub fn json(value: &impl Serialize) -> Result<Bytes, ApiError> {
    let json = serde_json::to_vec(value);
    json.map(Bytes::from).map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))
}
