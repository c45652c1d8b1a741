//! `/v1/chat/completions`

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::{StreamOptions, Usage};
use serde::de::IgnoredAny;
use serde_json::json;

use super::body::Body;
use super::events::{Framing, Pieces, Source, Wording, first, pieces, respond, until};
use super::fault::Fault;
use super::here::{Kind, json};
use super::kept;
use super::meter::Meter;
use super::served::{Served, Target, Tried, place_headers};
use super::{Caller, Gateway};
use crate::guard::lang;
use crate::upstream::Stream;

const PATH: &str = "/v1/chat/completions";

/// What every way of answering a request needs of it.
pub struct Asked {
    pub caller: Caller,
    pub body: Body,
    pub route: &'static str,
    /// On an upstream, below its base.
    pub path: &'static str,
    pub start: Instant,
}

/// A stream, and who gives it.
pub struct Streamed {
    pub pieces: Pieces,
    pub model: String,
    pub upstream: String,
}

pub async fn chat(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let wording = Wording { lang: lang(&headers), path: PATH };
    let asked =
        Asked { caller, body, route: "chat", path: "/chat/completions", start: Instant::now() };
    if !asked.body.flag("stream")? {
        return gateway.in_time(gateway.chat_whole(&asked)).await;
    }
    let include_usage = includes_usage(&asked.body)?;
    let streamed = gateway.in_time(gateway.chat_stream(&asked, include_usage)).await?;
    gateway.respond(asked, streamed, &headers, wording).await
}

impl Gateway {
    /// Sends a stream, kept for others where that was asked for.
    pub async fn respond(
        self: &Arc<Self>,
        asked: Asked,
        streamed: Streamed,
        headers: &HeaderMap,
        wording: Wording,
    ) -> Result<Response, Fault> {
        let Streamed { pieces, model, upstream } = streamed;
        let pieces = first(until(pieces, (asked.start + self.config.limits.answer).into())).await?;
        let open = self.metrics.open_stream();
        let answered = match kept::is_wanted(headers, &asked.body) {
            true => self.kept.keep(&asked.caller, pieces, wording, open)?,
            false => respond(pieces, Framing::Data, wording, open),
        };
        Ok((place_headers(&model, &upstream), answered).into_response())
    }

    /// The answer as it comes, from the first who gives one.
    pub async fn chat_stream(
        self: &Arc<Self>,
        asked: &Asked,
        include_usage: bool,
    ) -> Result<Streamed, Fault> {
        let served = self.served(&asked.caller, asked.body.model()?)?;
        let mut tried = Tried::default();
        for target in &served.targets {
            match target {
                Target::Here(id) => {
                    match self.chat_stream_here(asked, &served, id, include_usage).await {
                        Ok(streamed) => return Ok(streamed),
                        Err(error) => tried.note_here(error)?,
                    }
                }
                Target::Upstream(upstream, model) => {
                    let body = with_usage(&asked.body);
                    match upstream.stream(asked.path, model, body.fields()).await {
                        Ok(stream) => {
                            return Ok(self.relay(asked, &served, stream, include_usage));
                        }
                        Err(error) => tried.note(upstream, error)?,
                    }
                }
            }
        }
        Err(tried.fault(&served.model))
    }

    async fn chat_stream_here(
        self: &Arc<Self>,
        asked: &Asked,
        served: &Served,
        id: &str,
        include_usage: bool,
    ) -> Result<Streamed, ApiError> {
        let request = asked.body.read()?;
        let model = self.hosted(id).await?;
        let mut meter = self.meter(asked, &served.model, "");
        let answers = self.chat_here(&model, request).await;
        let answers = answers.inspect_err(|error| meter.end(error.code.as_str()))?;
        Ok(Streamed {
            pieces: answers.pieces(Kind::Chat, include_usage, meter),
            model: model.id.clone(),
            upstream: String::new(),
        })
    }

    async fn chat_whole(self: &Arc<Self>, asked: &Asked) -> Result<Response, Fault> {
        let served = self.served(&asked.caller, asked.body.model()?)?;
        let mut tried = Tried::default();
        for target in &served.targets {
            match target {
                Target::Here(id) => match self.chat_whole_here(asked, &served, id).await {
                    Ok(answer) => return Ok(whole_response(&served.model, "", answer)),
                    Err(error) => tried.note_here(error)?,
                },
                Target::Upstream(upstream, model) => {
                    match upstream.whole(asked.path, model, asked.body.fields()).await {
                        Ok(whole) => return Ok(self.pass_on(asked, &served, &whole)),
                        Err(error) => tried.note(upstream, error)?,
                    }
                }
            }
        }
        Err(tried.fault(&served.model))
    }

    async fn chat_whole_here(
        self: &Arc<Self>,
        asked: &Asked,
        served: &Served,
        id: &str,
    ) -> Result<Bytes, ApiError> {
        let request = asked.body.read()?;
        let model = self.hosted(id).await?;
        let mut meter = self.meter(asked, &served.model, "");
        let answers = self.chat_here(&model, request).await;
        let answers = answers.inspect_err(|error| meter.end(error.code.as_str()))?;
        json(&answers.chat_whole(meter).await?)
    }

    /// A stream of an upstream, counted as it passes.
    pub fn relay(
        self: &Arc<Self>,
        asked: &Asked,
        served: &Served,
        stream: Stream,
        include_usage: bool,
    ) -> Streamed {
        let upstream = stream.upstream.id.clone();
        let mut meter = self.meter(asked, &served.model, &upstream);
        meter.expect_prompt(prompt_bytes(&asked.body));
        let source = RelaySource { stream, meter, include_usage };
        Streamed { pieces: pieces(source), model: served.model.clone(), upstream }
    }

    /// A whole answer of an upstream, counted.
    pub fn pass_on(
        self: &Arc<Self>,
        asked: &Asked,
        served: &Served,
        whole: &crate::upstream::Whole,
    ) -> Response {
        let mut meter = self.meter(asked, &served.model, &whole.upstream.id);
        if let Some(usage) = usage_of(&whole.body) {
            meter.settle(&usage);
        }
        meter.end("ok");
        whole_response(&served.model, &whole.upstream.id, whole.body.clone())
    }

    pub fn meter(self: &Arc<Self>, asked: &Asked, model: &str, upstream: &str) -> Meter {
        Meter::new(self, &asked.caller, asked.route, model, upstream, asked.start)
    }

    /// What takes longer than an answer may is ended.
    pub async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let timed = tokio::time::timeout(self.config.limits.answer, work).await;
        timed.unwrap_or_else(|_| Err(ErrorCode::Timeout.into()))
    }
}

/// A whole answer in JSON.
pub fn whole_response(model: &str, upstream: &str, body: Bytes) -> Response {
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (head, place_headers(model, upstream), body).into_response()
}

pub fn includes_usage(body: &Body) -> Result<bool, ApiError> {
    let Some(options) = body.get("stream_options") else { return Ok(false) };
    let options: Result<StreamOptions, _> = serde_json::from_value(options.clone());
    options.map(|options| options.include_usage).map_err(|error| {
        super::body::invalid(Some("stream_options"), format!("`stream_options`: {error}"))
    })
}

/// Asks the upstream to say at the end what was used, so that it is counted.
pub fn with_usage(body: &Body) -> Body {
    let mut options = body.get("stream_options").cloned().unwrap_or_else(|| json!({}));
    options["include_usage"] = true.into();
    body.with("stream_options", options)
}

fn prompt_bytes(body: &Body) -> usize {
    let prompt = ["messages", "prompt", "input"].iter().find_map(|field| body.get(field));
    prompt.map_or(0, |prompt| prompt.to_string().len())
}

/// The part of an upstream's answer that is counted.
#[derive(serde::Deserialize)]
struct Counted<'a> {
    #[serde(default)]
    usage: Option<UsageOf>,
    /// None where the answer belongs to another dialect.
    #[serde(default, borrow)]
    choices: Option<Vec<CountedChoice<'a>>>,
}

#[derive(serde::Deserialize)]
struct CountedChoice<'a> {
    #[serde(default, borrow)]
    delta: CountedDelta<'a>,
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
}

#[derive(Default, serde::Deserialize)]
struct CountedDelta<'a> {
    #[serde(default, borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(default)]
    tool_calls: Option<IgnoredAny>,
}

impl CountedChoice<'_> {
    fn says_something(&self) -> bool {
        let texts = [&self.text, &self.delta.content, &self.delta.reasoning_content];
        self.delta.tool_calls.is_some() || texts.into_iter().flatten().any(|text| !text.is_empty())
    }
}

#[derive(serde::Deserialize)]
struct UsageOf {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    total_tokens: u64,
}

impl UsageOf {
    fn usage(&self) -> Usage {
        // Embedders say only the total.
        let prompt_tokens = match (self.prompt_tokens, self.completion_tokens) {
            (0, 0) => self.total_tokens,
            (prompt, _) => prompt,
        };
        Usage {
            prompt_tokens,
            completion_tokens: self.completion_tokens,
            total_tokens: prompt_tokens + self.completion_tokens,
            prompt_tokens_details: None,
        }
    }
}

fn usage_of(json: &[u8]) -> Option<Usage> {
    let counted: Counted<'_> = serde_json::from_slice(json).ok()?;
    counted.usage.map(|usage| usage.usage())
}

struct RelaySource {
    stream: Stream,
    meter: Meter,
    include_usage: bool,
}

impl Source for RelaySource {
    async fn fill(&mut self, ready: &mut VecDeque<Result<Bytes, ApiError>>) -> bool {
        match self.stream.next().await {
            None => {
                self.meter.end("ok");
                false
            }
            Some(Err(error)) => {
                self.meter.end(error.code.as_str());
                ready.push_back(Err(error));
                false
            }
            Some(Ok(data)) => {
                let counted = serde_json::from_slice::<Counted<'_>>(&data).ok();
                let usage = counted.as_ref().and_then(|counted| counted.usage.as_ref());
                let choices = counted.as_ref().and_then(|counted| counted.choices.as_ref());
                if let Some(usage) = usage {
                    self.meter.settle(&usage.usage());
                } else if choices.is_some_and(|all| all.iter().any(CountedChoice::says_something)) {
                    // An event is a token or a few; the upstream's own count comes at the end.
                    self.meter.piece(1);
                }
                let only_counts = usage.is_some() && choices.is_some_and(Vec::is_empty);
                if !only_counts || self.include_usage {
                    ready.push_back(Ok(data));
                }
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_found_whoever_writes_it() {
        let chat = br#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"x":{}}}"#;
        let usage = usage_of(chat).unwrap();
        assert_eq!((usage.prompt_tokens, usage.total_tokens), (3, 7));
        let embeddings = br#"{"data":[],"usage":{"total_tokens":9}}"#;
        assert_eq!(usage_of(embeddings).unwrap().prompt_tokens, 9);
        assert!(usage_of(br#"{"choices":[],"usage":null}"#).is_none());
        assert!(usage_of(b"no JSON").is_none());
    }

    #[test]
    fn only_an_event_that_says_something_is_a_token() {
        #[track_caller]
        fn check(choice: &str, says_something: bool) {
            let choice: CountedChoice<'_> = serde_json::from_str(choice).unwrap();
            assert_eq!(choice.says_something(), says_something);
        }
        check(r#"{"index":0,"delta":{"content":"a\n"},"finish_reason":null}"#, true);
        check(r#"{"index":0,"delta":{"role":"assistant","content":""}}"#, false);
        check(r#"{"index":0,"delta":{},"finish_reason":"stop"}"#, false);
        check(r#"{"index":0,"delta":{"tool_calls":[{"index":0}]}}"#, true);
        check(r#"{"index":0,"text":"a"}"#, true);
    }

    #[test]
    fn the_upstream_is_asked_for_its_count_beside_what_the_client_asked() {
        let body = Body::from_bytes(br#"{"model":"m","stream_options":{"x":1}}"#).unwrap();
        assert!(!includes_usage(&body).unwrap());
        let body = with_usage(&body);
        assert!(includes_usage(&body).unwrap());
        assert_eq!(body.get("stream_options").unwrap()["x"], 1);
        let wrong = Body::from_bytes(br#"{"stream_options":{"include_usage":3}}"#).unwrap();
        assert!(includes_usage(&wrong).is_err());
    }
}
