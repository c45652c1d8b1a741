//! What comes of asking one upstream once?

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::events::{Event, EventReader};
use serde_json::{Map, Value};

use super::fleet::{Running, Upstream};
use super::wire::{WireError, with_causes};

/// Longest answer that is not a stream.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// Longest refusal that is passed on.
const REFUSAL_BYTES_MAX: usize = 64 << 10;
/// How long a refusal's body may take.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(5);

/// Why an upstream gave nothing.
#[derive(Debug)]
pub enum SendError {
    /// It cannot be reached, is unwell or busy: another endpoint may do better.
    Unreached { cause: String },
    /// It answered, and something is wrong with it, not with the request.
    Failed { cause: String },
    /// It is too busy and says so; another may not be.
    Busy(Refusal),
    /// The request itself is refused: so would others.
    Refused(Refusal),
}

/// An upstream's own words about a request, in OpenAI's envelope.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub body: Bytes,
    pub retry_after: Option<HeaderValue>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Whole {
    pub upstream: Arc<Upstream>,
    pub body: Bytes,
}

/// A streamed answer whose first event is there.
#[derive(Debug)]
pub struct Stream {
    pub upstream: Arc<Upstream>,
    body: Incoming,
    events: EventReader,
    /// Came, and not told yet.
    ready: VecDeque<Event>,
    first: Option<Bytes>,
    is_over: bool,
    _running: Running,
}

impl Upstream {
    /// Posts `body` with `model` as its model, and waits for the whole answer.
    pub async fn whole(
        self: &Arc<Self>,
        path: &str,
        model: &str,
        body: &Map<String, Value>,
    ) -> Result<Whole, SendError> {
        let (answer, _running) = self.head(path, model, body).await?;
        let collected = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect();
        let failed = |cause: String| {
            self.failed(&cause);
            SendError::Failed { cause }
        };
        match tokio::time::timeout(self.first_byte, collected).await {
            Ok(Ok(collected)) => {
                self.succeeded();
                Ok(Whole { upstream: Arc::clone(self), body: collected.to_bytes() })
            }
            Ok(Err(error)) => Err(failed(format!("it broke off: {error}"))),
            Err(_) => Err(failed(format!("no end in {} s", self.first_byte.as_secs_f64()))),
        }
    }

    /// Posts `body` with `model` as its model, and waits for the first event of the answer.
    pub async fn stream(
        self: &Arc<Self>,
        path: &str,
        model: &str,
        body: &Map<String, Value>,
    ) -> Result<Stream, SendError> {
        let (answer, running) = self.head(path, model, body).await?;
        let is_stream = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
            kind.to_str().is_ok_and(|kind| kind.starts_with("text/event-stream"))
        });
        let failed = |cause: String| {
            self.failed(&cause);
            SendError::Failed { cause }
        };
        if !is_stream {
            return Err(failed("it does not stream".to_owned()));
        }
        let mut stream = Stream {
            upstream: Arc::clone(self),
            body: answer.into_body(),
            events: EventReader::default(),
            ready: VecDeque::new(),
            first: None,
            is_over: false,
            _running: running,
        };
        match tokio::time::timeout(self.first_byte, stream.read()).await {
            Ok(Ok(first)) => {
                self.succeeded();
                stream.is_over = first.is_none();
                stream.first = first;
                Ok(stream)
            }
            Ok(Err(cause)) => Err(failed(cause)),
            Err(_) => Err(failed(format!("no event in {} s", self.first_byte.as_secs_f64()))),
        }
    }

    /// The answer's head, if it is a good one.
    async fn head(
        self: &Arc<Self>,
        path: &str,
        model: &str,
        body: &Map<String, Value>,
    ) -> Result<(Response<Incoming>, Running), SendError> {
        let running =
            self.enter().map_err(|cause| SendError::Unreached { cause: cause.to_owned() })?;
        let start = Instant::now();
        let asked = self.ask(path, model, body).await;
        let cause = match &asked {
            Err(SendError::Unreached { cause } | SendError::Failed { cause }) => Some(cause),
            // It answered, even if not as the client wished.
            Ok(_) | Err(SendError::Busy(_) | SendError::Refused(_)) => None,
        };
        self.noted().note(start.elapsed(), cause.map(String::as_str));
        Ok((asked?, running))
    }

    async fn ask(
        self: &Arc<Self>,
        path: &str,
        model: &str,
        body: &Map<String, Value>,
    ) -> Result<Response<Incoming>, SendError> {
        let bytes = with_model(body, model);
        let mut sent = self.wire.send(path, Some(bytes.clone()), self.first_byte).await;
        if let Err(WireError::Connection(error)) = &sent
            && !error.is_connect()
        {
            // A connection that was kept from earlier had died; a fresh one tells whether the server
            // has. Nothing of an answer came, so nothing is done twice for the client.
            sent = self.wire.send(path, Some(bytes), self.first_byte).await;
        }
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                let cause = error.to_string();
                self.failed(&cause);
                return Err(SendError::Unreached { cause });
            }
        };
        match answer.status() {
            status if status.is_success() => Ok(answer),
            // It is up, but not able: others may be.
            status @ (StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT) => {
                let cause = format!("status {status}");
                self.failed(&cause);
                Err(SendError::Failed { cause })
            }
            // The fault may be the request's: the next requests are still sent here.
            status if status.is_server_error() => {
                Err(SendError::Failed { cause: format!("status {status}") })
            }
            // Our key or our configuration, nothing that a client could mend.
            status @ (StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED) => {
                tracing::warn!(upstream = self.id, %status, path, model, "refuses this server");
                Err(SendError::Failed { cause: format!("status {status}") })
            }
            StatusCode::TOO_MANY_REQUESTS => {
                self.succeeded();
                Err(SendError::Busy(refusal(answer).await))
            }
            _ => {
                self.succeeded();
                Err(SendError::Refused(refusal(answer).await))
            }
        }
    }
}

impl Stream {
    /// The next event's data; none at the end.
    ///
    /// # Errors
    /// `upstream_failed` when it breaks off or stalls.
    pub async fn next(&mut self) -> Option<Result<Bytes, ApiError>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        if self.is_over {
            return None;
        }
        let idle = self.upstream.idle;
        let read = match tokio::time::timeout(idle, self.read()).await {
            Ok(read) => read,
            Err(_) => Err(format!("nothing for {} s", idle.as_secs_f64())),
        };
        self.is_over = !matches!(read, Ok(Some(_)));
        match read {
            Ok(data) => data.map(Ok),
            Err(cause) => {
                self.upstream.failed(&cause);
                let detail = format!("{}: {cause}", self.upstream.id);
                Some(Err(ApiError::new(ErrorCode::UpstreamFailed).detail(detail)))
            }
        }
    }

    /// An end without `[DONE]` is a stream that was cut.
    async fn read(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok((event.data != "[DONE]").then(|| Bytes::from(event.data)));
            }
            let frame = match self.body.frame().await {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Err(format!("it broke off: {}", with_causes(&error))),
                None => return Err("it ended without [DONE]".to_owned()),
            };
            if let Some(bytes) = frame.data_ref() {
                self.ready.extend(self.events.push(bytes).map_err(|error| error.to_string())?);
            }
        }
    }
}

fn with_model(body: &Map<String, Value>, model: &str) -> Bytes {
    let mut body = body.clone();
    // Ours alone; some servers refuse what they do not know.
    body.retain(|field, _| !field.starts_with("portico"));
    body.insert("model".to_owned(), Value::from(model));
    Bytes::from(Value::Object(body).to_string())
}

/// An upstream's refusal: its body if that is an error as OpenAI words it, else one made of what it
/// says.
async fn refusal(answer: Response<Incoming>) -> Refusal {
    let status = answer.status();
    let retry_after = answer.headers().get(header::RETRY_AFTER).cloned();
    let collected = Limited::new(answer.into_body(), REFUSAL_BYTES_MAX).collect();
    let body = match tokio::time::timeout(REFUSAL_PATIENCE, collected).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        _ => Bytes::new(),
    };
    let is_envelope = serde_json::from_slice::<Value>(&body)
        .is_ok_and(|body| body.get("error").is_some_and(Value::is_object));
    let body = match is_envelope {
        true => body,
        false => {
            let text: String = String::from_utf8_lossy(&body).chars().take(1_000).collect();
            let kind = "invalid_request_error";
            let error = serde_json::json!({
                "error": { "message": text, "type": kind, "param": null, "code": null },
            });
            Bytes::from(error.to_string())
        }
    };
    Refusal { status, body, retry_after }
}
