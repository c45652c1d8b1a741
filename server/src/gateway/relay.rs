//! How does an upstream's answer pass, and what of it is counted?

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;
use axum::response::Response;
use portico_shared::error::ApiError;
use portico_shared::openai::Usage;
use serde::de::IgnoredAny;
use serde_json::json;

use super::Gateway;
use super::answering::{Asked, Streamed, whole_response};
use super::body::Body;
use super::events::{Source, pieces};
use super::meter::Meter;
use super::served::Served;
use crate::upstream::{Stream, Whole};

impl Gateway {
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
    pub fn pass_on(self: &Arc<Self>, asked: &Asked, served: &Served, whole: &Whole) -> Response {
        let mut meter = self.meter(asked, &served.model, &whole.upstream.id);
        if let Some(usage) = usage_of(&whole.body) {
            meter.settle(&usage);
        }
        meter.end("ok");
        whole_response(&served.model, &whole.upstream.id, whole.body.clone())
    }
}

/// A request to an upstream of which nothing has come yet. Dropped so, whoever asked has gone, or waited
/// too long: the upstream has read the prompt nevertheless, and that is counted.
pub struct Waiting<'a> {
    gateway: &'a Arc<Gateway>,
    asked: &'a Asked,
    served: &'a Served,
    upstream: &'a str,
    is_over: bool,
}

impl<'a> Waiting<'a> {
    pub fn new(
        gateway: &'a Arc<Gateway>,
        asked: &'a Asked,
        served: &'a Served,
        upstream: &'a str,
    ) -> Self {
        Self { gateway, asked, served, upstream, is_over: false }
    }

    /// What came is counted elsewhere, or was nothing.
    pub fn over(mut self) {
        self.is_over = true;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let mut meter = self.gateway.meter(self.asked, &self.served.model, self.upstream);
            meter.expect_prompt(prompt_bytes(&self.asked.body));
        }
    }
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
    use crate::gateway::answering::includes_usage;

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
