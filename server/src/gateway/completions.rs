//! `/v1/completions`

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use portico_shared::error::ApiError;
use portico_shared::openai::CompletionRequest;
use serde_json::Value;

use super::answering::{Asked, Streamed, includes_usage};
use super::body::{Body, invalid};
use super::events::Wording;
use super::fault::Fault;
use super::here::{Answers, Kind, json};
use super::meter::Meter;
use super::served::Served;
use super::{Caller, Gateway};
use crate::guard::lang;

const PATH: &str = "/v1/completions";

pub async fn completions(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let wording = Wording { lang: lang(&headers), path: PATH };
    let asked =
        Asked { caller, body, route: "completions", path: "/completions", start: Instant::now() };
    if !asked.body.flag("stream")? {
        return gateway.in_time(gateway.completion_whole(&asked)).await;
    }
    let streamed = gateway.in_time(gateway.completion_stream(&asked)).await?;
    gateway.respond(asked, streamed, &headers, wording).await
}

impl Gateway {
    async fn completion_stream(self: &Arc<Self>, asked: &Asked) -> Result<Streamed, Fault> {
        let served = self.served(&asked.caller, asked.body.model()?)?;
        let include_usage = includes_usage(&asked.body)?;
        let served = &served;
        let here = |id| async move {
            let (answers, meter) = self.completions_here(asked, served, id).await?;
            Ok(Streamed {
                model: answers.head.model.clone(),
                upstream: String::new(),
                pieces: answers.pieces(Kind::Completion, include_usage, meter),
            })
        };
        self.streamed(asked, served, include_usage, here).await
    }

    async fn completion_whole(self: &Arc<Self>, asked: &Asked) -> Result<Response, Fault> {
        let served = self.served(&asked.caller, asked.body.model()?)?;
        let served = &served;
        let here = |id| async move {
            let (answers, meter) = self.completions_here(asked, served, id).await?;
            json(&answers.completion_whole(meter).await?)
        };
        self.whole(asked, served, here).await
    }

    async fn completions_here(
        self: &Arc<Self>,
        asked: &Asked,
        served: &Served,
        id: &str,
    ) -> Result<(Answers, Meter), ApiError> {
        let requests = requests(&asked.body, self.config.limits.max_batch)?;
        let model = self.hosted(id).await?;
        let mut meter = self.meter(asked, &served.model, "");
        let answers = self.complete_here(&model, requests).await;
        let answers = answers.inspect_err(|error| meter.end(error.code.as_str()))?;
        Ok((answers, meter))
    }
}

/// One request for each prompt: OpenAI takes a list of texts, or of lists of token ids, at once.
fn requests(body: &Body, max_batch: usize) -> Result<Vec<CompletionRequest>, ApiError> {
    let prompts = match body.get("prompt") {
        Some(Value::Array(items)) if items.iter().any(|item| !item.is_number()) => items,
        _ => return body.read().map(|request| vec![request]),
    };
    if prompts.len() > max_batch {
        return Err(invalid(Some("prompt"), format!("`prompt` holds more than {max_batch} texts")));
    }
    prompts.iter().map(|prompt| body.with("prompt", prompt.clone()).read()).collect()
}

#[cfg(test)]
mod tests {
    use portico_shared::openai::Prompt;

    use super::*;

    #[test]
    fn prompts_come_alone_or_several_at_once() {
        let read = |prompt: &str| {
            let json = format!(r#"{{"model":"m","prompt":{prompt}}}"#);
            requests(&Body::from_bytes(json.as_bytes()).unwrap(), 2)
        };
        let prompts = |prompt: &str| -> Vec<Prompt> {
            read(prompt).unwrap().into_iter().map(|request| request.prompt).collect()
        };
        assert_eq!(prompts(r#""a""#), [Prompt::Text("a".into())]);
        assert_eq!(prompts("[1,2]"), [Prompt::TokenIds(vec![1, 2])]);
        assert_eq!(prompts("[[1],[2,3]]").len(), 2);
        assert_eq!(prompts(r#"["a","b"]"#), [Prompt::Text("a".into()), Prompt::Text("b".into())]);
        assert!(read(r#"["a","b","c"]"#).is_err(), "more than the limit");
        assert!(read(r#"["a",1]"#).is_err());
        assert!(read("{}").is_err());
    }
}
