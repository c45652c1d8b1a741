//! What do all ways of answering share?

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::StreamOptions;

use super::body::{Body, invalid};
use super::events::{Framing, Pieces, Wording, first, respond, until};
use super::fault::Fault;
use super::kept;
use super::meter::Meter;
use super::relay::{Waiting, with_usage};
use super::served::{Served, place_headers};
use super::{Caller, Gateway};

/// What every way of answering a request needs of it.
#[derive(Clone)]
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

impl Gateway {
    /// A whole answer of the first who gives one; `here` makes it in this process.
    pub async fn whole<'s, Here>(
        self: &Arc<Self>,
        asked: &Asked,
        served: &'s Served,
        here: impl Fn(&'s str) -> Here,
    ) -> Result<Response, Fault>
    where
        Here: Future<Output = Result<Bytes, ApiError>>,
    {
        let here = &here;
        let answered = served.first_that_answers(
            |id| async move { Ok(whole_response(&served.model, "", here(id).await?)) },
            |upstream, model| async move {
                let waiting = Waiting::new(self, asked, served, &upstream.id);
                let whole = upstream.whole(asked.path, model, asked.body.fields()).await;
                waiting.over();
                Ok(self.pass_on(asked, served, &whole?))
            },
        );
        answered.await
    }

    /// The answer as it comes, from the first who gives one; `here` makes it in this process.
    pub async fn streamed<'s, Here>(
        self: &Arc<Self>,
        asked: &Asked,
        served: &'s Served,
        include_usage: bool,
        here: impl Fn(&'s str) -> Here,
    ) -> Result<Streamed, Fault>
    where
        Here: Future<Output = Result<Streamed, ApiError>>,
    {
        let answered = served.first_that_answers(here, |upstream, model| async move {
            let body = with_usage(&asked.body);
            let waiting = Waiting::new(self, asked, served, &upstream.id);
            let stream = upstream.stream(asked.path, model, body.fields()).await;
            waiting.over();
            Ok(self.relay(asked, served, stream?, include_usage))
        });
        answered.await
    }

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

/// The JSON of a response that was made here.
///
/// # Errors
/// `internal`
pub async fn body_bytes(response: Response) -> Result<Bytes, ApiError> {
    let read = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    read.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))
}

pub fn includes_usage(body: &Body) -> Result<bool, ApiError> {
    let Some(options) = body.get("stream_options") else { return Ok(false) };
    let options: Result<StreamOptions, _> = serde_json::from_value(options.clone());
    options
        .map(|options| options.include_usage)
        .map_err(|error| invalid(Some("stream_options"), format!("`stream_options`: {error}")))
}
