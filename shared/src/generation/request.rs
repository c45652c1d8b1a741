//! What a generation is built from: a request's values, checked, and the model's facts.

use crate::error::ApiError;
use crate::grammar::Grammar;
use crate::openai::{ChatCompletionRequest, CompletionRequest, Continuation, Stop};
use crate::sampling::{SamplingParams, TOP_LOGPROBS_MAX, invalid};
use crate::template::ChatTemplate;
use crate::tokenizer::{AddSpecial, ParseSpecial, Tokenizer};
use crate::tools::{self, ToolFormat, ToolReading};

/// Most stop strings of a request.
const STOPS_MAX: usize = 16;
/// Longest stop string.
const STOP_MAX_BYTES: usize = 1024;
/// What OpenAI's completions generate when a request says nothing.
const COMPLETION_MAX_TOKENS: u32 = 16;

/// What a generation needs to know of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFacts {
    /// Tokens that end an answer.
    pub end_ids: Vec<u32>,
    /// Tokens that the context holds, prompt and answer together.
    pub n_ctx: u32,
    /// Ids are below it.
    pub n_vocab: u32,
    /// How it writes calls of tools.
    pub tools: ToolFormat,
}

impl ModelFacts {
    pub fn new(
        tokenizer: &Tokenizer,
        template: Option<&ChatTemplate>,
        n_ctx: u32,
        n_vocab: u32,
    ) -> Self {
        let style = template.map(ChatTemplate::tool_style).unwrap_or_default();
        Self {
            end_ids: tokenizer.end_ids().to_vec(),
            n_ctx,
            n_vocab,
            tools: ToolFormat::new(style, tokenizer),
        }
    }
}

/// A request as [`super::Generation`] takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerationRequest {
    pub prompt_ids: Vec<u32>,
    pub sampling: SamplingParams,
    pub stop: Vec<String>,
    /// None: until the context is full.
    pub max_tokens: Option<u32>,
    pub end_ids: Vec<u32>,
    pub n_ctx: u32,
    /// Generated tokens that stand already and count.
    pub continuation: Vec<u32>,
    /// Log-probabilities are asked for, with so many alternatives for each token.
    pub top_logprobs: Option<u8>,
    /// The prompt comes first in the answer.
    pub echo: bool,
    /// A stream's reader has the continuation's text; a whole answer contains it.
    pub stream: bool,
    /// The form that the answer's text must have; the driver compiles it for
    /// [`super::Generation::constrained`].
    pub grammar: Option<Grammar>,
    /// An answer that goes round in circles is ended.
    pub stop_repetition: bool,
    /// Calls are looked for in the answer's text.
    pub tools: Option<ToolReading>,
}

impl GenerationRequest {
    /// For a chat request whose messages were rendered and encoded to `prompt_ids`; `fresh_seed` is
    /// used when the request names none.
    ///
    /// # Errors
    /// `invalid_request`, naming the field.
    pub fn from_chat(
        request: &ChatCompletionRequest,
        prompt_ids: Vec<u32>,
        model: &ModelFacts,
        fresh_seed: u64,
    ) -> Result<Self, ApiError> {
        check_n(request.n)?;
        let max_tokens = request.max_completion_tokens.or(request.max_tokens);
        if max_tokens == Some(0) {
            return Err(invalid("max_tokens", "must be at least 1"));
        }
        if request.top_logprobs.is_some() && !request.logprobs {
            return Err(invalid("top_logprobs", "needs `logprobs`"));
        }
        let n_top = request.top_logprobs.unwrap_or(0);
        check_n_top("top_logprobs", n_top)?;
        Self {
            prompt_ids,
            sampling: SamplingParams::new(&request.sampling, fresh_seed)?,
            stop: stops(request.stop.as_ref())?,
            max_tokens,
            end_ids: model.end_ids.clone(),
            n_ctx: model.n_ctx,
            continuation: request
                .portico_continue
                .as_ref()
                .map(|standing| standing.token_ids.clone())
                .unwrap_or_default(),
            top_logprobs: request.logprobs.then_some(n_top),
            echo: false,
            stream: request.stream,
            grammar: tools::grammar(request, &model.tools)?,
            stop_repetition: request.portico_stop_repetition,
            tools: reading(request, &model.tools),
        }
        .with_known_ids(model)
    }

    /// For a completion request whose prompt was encoded to `prompt_ids`.
    ///
    /// # Errors
    /// `invalid_request`, naming the field.
    pub fn from_completion(
        request: &CompletionRequest,
        prompt_ids: Vec<u32>,
        model: &ModelFacts,
        fresh_seed: u64,
    ) -> Result<Self, ApiError> {
        check_n(request.n)?;
        if request.max_tokens == Some(0) && !request.echo {
            return Err(invalid("max_tokens", "of 0 needs `echo`"));
        }
        check_n_top("logprobs", request.logprobs.unwrap_or(0))?;
        Self {
            prompt_ids,
            sampling: SamplingParams::new(&request.sampling, fresh_seed)?,
            stop: stops(request.stop.as_ref())?,
            max_tokens: Some(request.max_tokens.unwrap_or(COMPLETION_MAX_TOKENS)),
            end_ids: model.end_ids.clone(),
            n_ctx: model.n_ctx,
            continuation: request
                .portico_continue
                .as_ref()
                .map(|standing| standing.token_ids.clone())
                .unwrap_or_default(),
            top_logprobs: request.logprobs,
            echo: request.echo,
            stream: request.stream,
            grammar: request.response_format.as_ref().map_or(Ok(None), Grammar::of_format)?,
            stop_repetition: false,
            tools: None,
        }
        .with_known_ids(model)
    }

    /// Has the text that stands, where it stands without tokens, be this model's tokens.
    ///
    /// # Errors
    /// Those of the tokenizer.
    pub fn with_standing_text(
        mut self,
        standing: Option<&Continuation>,
        tokenizer: &Tokenizer,
    ) -> Result<Self, ApiError> {
        if let Some(standing) = standing.filter(|standing| standing.token_ids.is_empty()) {
            let (add, parse) = (AddSpecial::No, ParseSpecial::No);
            self.continuation = tokenizer.encode(&standing.text, add, parse)?;
        }
        Ok(self)
    }

    fn with_known_ids(self, model: &ModelFacts) -> Result<Self, ApiError> {
        let unknown = |ids: &[u32]| ids.iter().any(|&id| id >= model.n_vocab);
        if unknown(&self.prompt_ids) {
            return Err(invalid("prompt", "has a token id outside the model's vocabulary"));
        }
        if unknown(&self.continuation) {
            return Err(invalid("portico_continue", "has a token id outside the vocabulary"));
        }
        Ok(self)
    }
}

fn reading(request: &ChatCompletionRequest, format: &ToolFormat) -> Option<ToolReading> {
    let tools = request.offered_tools();
    (!tools.is_empty()).then(|| ToolReading::new(format, tools))
}

fn check_n(n: Option<u32>) -> Result<(), ApiError> {
    match n {
        None | Some(1) => Ok(()),
        Some(_) => Err(invalid("n", "must be 1")),
    }
}

fn check_n_top(field: &str, n_top: u8) -> Result<(), ApiError> {
    if n_top > TOP_LOGPROBS_MAX {
        return Err(invalid(field, &format!("must be at most {TOP_LOGPROBS_MAX}")));
    }
    Ok(())
}

fn stops(stop: Option<&Stop>) -> Result<Vec<String>, ApiError> {
    let stops = stop.cloned().map(Stop::into_vec).unwrap_or_default();
    if stops.len() > STOPS_MAX {
        return Err(invalid("stop", &format!("must name at most {STOPS_MAX} strings")));
    }
    if stops.iter().any(|stop| stop.is_empty() || stop.len() > STOP_MAX_BYTES) {
        return Err(invalid("stop", &format!("must hold strings of 1 to {STOP_MAX_BYTES} bytes")));
    }
    Ok(stops)
}
