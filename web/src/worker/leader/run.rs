//! How is one request answered: the `Generation` of `shared`, driven over the engine.

use portico_engine::EngineError;
use portico_relay::queue::Ticket;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::generation::{AnswerHead, Ask, Generation, GenerationRequest};
use portico_shared::grammar::Constrain;
use portico_shared::openai::{
    ChatCompletionRequest, CompletionRequest, Continuation, Place, PorticoInfo,
};
use portico_shared::tokenizer::{SkipSpecial, StreamDecoder};

use super::actor::Actor;
use super::answer::Sink;
use super::loaded::Loaded;
use super::since_ms;
use crate::js::scope::{now_ms, random_u64, wall_ms};
use crate::protocol::FromWorker;

/// Losses of the device in a row, without a token between them, that an answer survives.
const LOSSES_MAX: u32 = 2;

/// What a page asked.
pub enum Asked {
    Chat(Box<ChatCompletionRequest>),
    Complete(Box<CompletionRequest>),
}

impl Asked {
    fn model(&self) -> &str {
        match self {
            Self::Chat(request) => &request.model,
            Self::Complete(request) => &request.model,
        }
    }

    fn is_resumed(&self) -> bool {
        let standing: &Option<Continuation> = match self {
            Self::Chat(request) => &request.portico_continue,
            Self::Complete(request) => &request.portico_continue,
        };
        standing.as_ref().is_some_and(|standing| !standing.token_ids.is_empty())
    }

    /// Whether the prompt comes first in what is told.
    fn echoes(&self) -> bool {
        match self {
            Self::Chat(_) => false,
            Self::Complete(request) => request.echo && !(request.stream && self.is_resumed()),
        }
    }

    /// The request as a generation takes it, and what its text comes from.
    fn request(&self, loaded: &Loaded) -> Result<(GenerationRequest, StreamDecoder), ApiError> {
        let (text, facts) = (&loaded.text, loaded.text.facts(&loaded.engine));
        let tokenizer = text.tokenizer.clone();
        Ok(match self {
            Self::Chat(request) => {
                let prompt_ids = text.chat_prompt(request)?;
                let fresh_seed = random_u64();
                let standing = request.portico_continue.as_ref();
                let request =
                    GenerationRequest::from_chat(request, prompt_ids, &facts, fresh_seed)?
                        .with_standing_text(standing, &tokenizer)?;
                (request, StreamDecoder::new(tokenizer, SkipSpecial::Yes))
            }
            Self::Complete(request) => {
                let prompt_ids = text.completion_prompt(request)?;
                let echo = request.echo;
                let fresh_seed = random_u64();
                let request =
                    GenerationRequest::from_completion(request, prompt_ids, &facts, fresh_seed)?;
                let decoder = match echo {
                    true => StreamDecoder::new(tokenizer, SkipSpecial::Yes),
                    false => StreamDecoder::continuing(tokenizer, SkipSpecial::Yes),
                };
                (request, decoder)
            }
        })
    }

    fn sink<'a>(&self, actor: &'a super::Leader, ticket: &'a Ticket) -> Sink<'a> {
        let head = |prefix: &str| AnswerHead {
            id: format!("{prefix}-{}", ticket.id),
            created: wall_ms() / 1_000,
            model: self.model().to_owned(),
        };
        match self {
            Self::Chat(request) => Sink::chat(actor, ticket, head("chatcmpl"), request.stream),
            Self::Complete(request) => {
                Sink::completion(actor, ticket, head("cmpl"), request.stream)
            }
        }
    }
}

/// Answers a request, whatever happens, with its last word.
pub(super) async fn run_request(actor: &mut Actor, ticket: &Ticket, asked: Asked) {
    let answered = answer(actor, ticket, &asked).await;
    let id = ticket.id.clone();
    let last_word = match answered {
        Ok(stopped) => FromWorker::Done { id, stopped },
        // Stopped before there was an answer to end.
        Err(error) if error.code == ErrorCode::Cancelled && actor.leader.is_stopped() => {
            FromWorker::Done { id, stopped: true }
        }
        Err(error) => FromWorker::Failed { id, error },
    };
    (actor.leader.deliver)(Some(&ticket.tab), last_word);
}

/// True: it was stopped.
async fn answer(actor: &mut Actor, ticket: &Ticket, asked: &Asked) -> Result<bool, ApiError> {
    if let Err(error) = actor.make_ready(asked.model()).await {
        if !actor.leader.is_stopped() {
            actor.leader.load_failed(asked.model(), error.clone());
        }
        return Err(error);
    }
    let leader = actor.leader.clone();
    let mut sink = asked.sink(&leader, ticket);
    let driven = drive(actor, asked, &mut sink).await;
    if driven.is_err() {
        // What stands is kept.
        sink.flush();
    }
    driven
}

async fn drive(actor: &mut Actor, asked: &Asked, sink: &mut Sink<'_>) -> Result<bool, ApiError> {
    let mut clock = Clock::start();
    let (request, decoder) = asked.request(loaded(actor)?)?;
    let prompt_ids = request.prompt_ids.clone();
    let constraint = constraint(loaded_mut(actor)?, &request).await?;
    let mut generation = Generation::constrained(request, decoder, constraint)?;
    if !asked.is_resumed() {
        sink.open();
    }
    // An echo's tokens are the prompt's; `token_ids` name the generated ones.
    let mut n_echoed = if asked.echoes() { prompt_ids.len() } else { 0 };
    let mut is_stopped = false;
    let mut n_losses = 0;
    // The cache went with the device.
    let mut cache_is_lost = false;
    loop {
        while let Some(mut delta) = generation.take_delta() {
            let n = n_echoed.min(delta.token_ids.len());
            delta.token_ids.drain(..n);
            n_echoed -= n;
            sink.delta(delta);
        }
        let ask = generation.ask();
        if let Ask::End { reason } = ask {
            sink.end(reason, generation.usage(), clock.info(asked.model()));
            return Ok(is_stopped);
        }
        if actor.leader.is_stopped() {
            is_stopped = true;
            generation.cancel();
            continue;
        }
        let ask = match ask {
            Ask::Step { .. } if cache_is_lost => {
                let all = prompt_ids.iter().chain(generation.generated_ids());
                Ask::Prefill { tokens: all.copied().collect() }
            }
            ask => ask,
        };
        match fulfil(actor, &mut generation, ask, &mut clock).await {
            Ok(()) => {
                cache_is_lost = false;
                n_losses = 0;
            }
            Err(Trouble::Engine(EngineError::Cancelled)) if actor.leader.is_stopped() => {}
            Err(Trouble::Engine(EngineError::DeviceLost { .. })) if n_losses < LOSSES_MAX => {
                n_losses += 1;
                cache_is_lost = true;
                sink.flush();
                actor.rebuild().await?;
            }
            Err(Trouble::Engine(error)) => return Err(error.into()),
            Err(Trouble::Request(error)) => return Err(error),
        }
    }
}

/// What holds the answer to the form that was asked for.
async fn constraint(
    loaded: &mut Loaded,
    request: &GenerationRequest,
) -> Result<Option<Box<dyn Constrain>>, ApiError> {
    let Some(grammar) = &request.grammar else { return Ok(None) };
    loaded.grammars.constraint(&loaded.text.tokenizer, grammar).await.map(Some)
}

/// Why something that the generation asked for could not be given.
enum Trouble {
    Engine(EngineError),
    Request(ApiError),
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        Self::Request(error)
    }
}

/// Does what the generation asks for and gives it the result.
async fn fulfil(
    actor: &mut Actor,
    generation: &mut Generation<StreamDecoder>,
    ask: Ask,
    clock: &mut Clock,
) -> Result<(), Trouble> {
    let leader = actor.leader.clone();
    let engine = &mut loaded_mut(actor)?.engine;
    let gpu_plan = generation.gpu_plan();
    match ask {
        Ask::Score { tokens, n_top } => {
            generation.give_scores(engine.score(&tokens, n_top).await?)?;
            return Ok(());
        }
        Ask::Prefill { tokens } => {
            let start_ms = now_ms();
            let stats = engine.prefill(&tokens, |_, _| leader.stop_flow()).await?;
            if clock.first_token_ms.is_none() {
                generation.set_cached(stats.reused as u64);
            }
            match gpu_plan {
                Some(sampling) => {
                    engine.start_decode(sampling)?;
                    generation.give_token(engine.next_token().await?);
                }
                None => generation.give_logits(&mut engine.logits().await?)?,
            }
            clock.prefilled(stats.computed, start_ms);
        }
        Ask::Step { token } => match gpu_plan {
            Some(_) => generation.give_token(engine.next_token().await?),
            None => {
                engine.step(token).await?;
                generation.give_logits(&mut engine.logits().await?)?;
            }
        },
        Ask::End { .. } => return Ok(()),
    }
    clock.token();
    Ok(())
}

fn loaded(actor: &Actor) -> Result<&Loaded, ApiError> {
    actor.loaded.as_ref().ok_or_else(|| ApiError::new(ErrorCode::Internal).detail("no model"))
}

fn loaded_mut(actor: &mut Actor) -> Result<&mut Loaded, ApiError> {
    actor.loaded.as_mut().ok_or_else(|| ApiError::new(ErrorCode::Internal).detail("no model"))
}

/// Times of one answer.
struct Clock {
    start_ms: f64,
    first_token_ms: Option<f64>,
    last_token_ms: f64,
    n_tokens: u64,
    /// Of the first prefill: tokens computed, and how long it took with the first token's choice.
    prefill: Option<(usize, f64)>,
}

impl Clock {
    fn start() -> Self {
        Self {
            start_ms: now_ms(),
            first_token_ms: None,
            last_token_ms: 0.0,
            n_tokens: 0,
            prefill: None,
        }
    }

    fn prefilled(&mut self, n_computed: usize, start_ms: f64) {
        if self.prefill.is_none() {
            self.prefill = Some((n_computed, since_ms(start_ms)));
        }
    }

    fn token(&mut self) {
        self.last_token_ms = now_ms();
        self.first_token_ms.get_or_insert(self.last_token_ms);
        self.n_tokens += 1;
    }

    fn info(&self, model: &str) -> PorticoInfo {
        let per_s = |n: f64, ms: f64| (n > 0.0 && ms > 0.0).then(|| n * 1_000.0 / ms);
        PorticoInfo {
            time_to_first_token_ms: self.first_token_ms.map(|at_ms| at_ms - self.start_ms),
            prefill_tokens_per_s: self.prefill.and_then(|(n, ms)| per_s(n as f64, ms)),
            decode_tokens_per_s: self.first_token_ms.and_then(|first_ms| {
                per_s(self.n_tokens.saturating_sub(1) as f64, self.last_token_ms - first_ms)
            }),
            ..PorticoInfo::new(Place::Device, model)
        }
    }
}
