//! How does a streamed answer leave?
//!
//! An answer is a stream of pieces of JSON, wherever it comes from. Here they become server-sent
//! events: framed, kept alive while nothing comes, ended in time, and ended with an error event where
//! it fails.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt as _};
use portico_shared::error::{ApiError, ErrorCode, Lang};
use tokio::time::Instant;

use crate::http_error::ErrorBody;
use crate::metrics::OpenStream;

/// The JSON of one event each; an error is the last.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, ApiError>> + Send>>;

/// How often a silent stream says that it is alive: proxies close what says nothing for a minute.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long a failure before the first piece can still be an HTTP status of its own.
const FIRST_PIECE: Duration = Duration::from_secs(10);

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `data: {…}`, and `data: [DONE]` at the end.
    Data,
    /// `event: <its type>` before it, and no mark at the end: the responses dialect.
    Typed,
}

/// What an error event says, and where it belongs.
#[derive(Clone, Copy, Debug)]
pub struct Wording {
    pub lang: Lang,
    pub path: &'static str,
}

impl Framing {
    pub fn frame(self, json: &[u8]) -> Bytes {
        let mut frame = Vec::with_capacity(json.len() + 64);
        if self == Self::Typed
            && let Some(kind) = type_of(json)
        {
            frame.extend_from_slice(b"event: ");
            frame.extend_from_slice(kind.as_bytes());
            frame.push(b'\n');
        }
        frame.extend_from_slice(b"data: ");
        frame.extend_from_slice(json);
        frame.extend_from_slice(b"\n\n");
        Bytes::from(frame)
    }

    pub fn end(self) -> Option<Bytes> {
        (self == Self::Data).then(|| Bytes::from_static(b"data: [DONE]\n\n"))
    }

    /// The last event of a stream that failed.
    pub fn error(self, error: ApiError, wording: Wording) -> Bytes {
        let body = ErrorBody::new(error, wording.lang, wording.path);
        let json = match self {
            Self::Data => serde_json::to_vec(&body),
            Self::Typed => serde_json::to_value(&body).and_then(|mut body| {
                body["type"] = "error".into();
                for field in ["code", "message", "param"] {
                    body[field] = body["error"][field].clone();
                }
                serde_json::to_vec(&body)
            }),
        };
        self.frame(&json.unwrap_or_default())
    }
}

fn type_of(json: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: String,
    }
    serde_json::from_slice(json).ok().map(|Typed { kind }| kind)
}

/// Waits a while for the first piece, so that what fails at once fails with its own status.
///
/// # Errors
/// The stream's, when it begins with one.
pub async fn first(mut pieces: Pieces) -> Result<Pieces, ApiError> {
    match tokio::time::timeout(FIRST_PIECE, pieces.next()).await {
        Ok(Some(Ok(first))) => Ok(Box::pin(stream::iter([Ok(first)]).chain(pieces))),
        Ok(Some(Err(error))) => Err(error),
        Ok(None) => Ok(Box::pin(stream::empty())),
        Err(_) => Ok(pieces),
    }
}

/// `pieces`, ended by `timeout` at `deadline`.
pub fn until(pieces: Pieces, deadline: Instant) -> Pieces {
    Box::pin(stream::unfold(Some(pieces), move |pieces| async move {
        let mut pieces = pieces?;
        match tokio::time::timeout_at(deadline, pieces.next()).await {
            Ok(piece) => piece.map(|piece| (piece, Some(pieces))),
            Err(_) => Some((Err(ApiError::new(ErrorCode::Timeout)), None)),
        }
    }))
}

/// The response that carries `pieces`.
pub fn respond(pieces: Pieces, framing: Framing, wording: Wording, open: OpenStream) -> Response {
    response(written(framed(pieces, framing, wording), framing, KEEP_ALIVE, open))
}

/// Frames; true: it is the last.
type Frames = Pin<Box<dyn Stream<Item = (Bytes, bool)> + Send>>;

fn framed(pieces: Pieces, framing: Framing, wording: Wording) -> Frames {
    Box::pin(pieces.map(move |piece| match piece {
        Ok(json) => (framing.frame(&json), false),
        Err(error) => (framing.error(error, wording), true),
    }))
}

fn written(frames: Frames, framing: Framing, keep_alive: Duration, open: OpenStream) -> Body {
    let writer = Writer { frames, framing, keep_alive, is_over: false, _open: open };
    Body::from_stream(stream::unfold(writer, |mut writer| async {
        writer.next().await.map(|frame| (Ok::<_, std::convert::Infallible>(frame), writer))
    }))
}

/// A response of events that `body` holds.
pub fn response(body: Body) -> Response {
    const HEAD: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would gather what is to come piece by piece.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (HEAD, body).into_response()
}

struct Writer {
    frames: Frames,
    framing: Framing,
    keep_alive: Duration,
    is_over: bool,
    _open: OpenStream,
}

impl Writer {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        match tokio::time::timeout(self.keep_alive, self.frames.next()).await {
            Ok(Some((frame, is_last))) => {
                self.is_over = is_last;
                Some(frame)
            }
            Ok(None) => {
                self.is_over = true;
                self.framing.end()
            }
            Err(_) => Some(Bytes::from_static(b": alive\n\n")),
        }
    }
}

/// Makes pieces of a source that gives several at a time.
pub trait Source: Send + 'static {
    /// Adds pieces to `ready`; false: there are no more.
    fn fill(
        &mut self,
        ready: &mut VecDeque<Result<Bytes, ApiError>>,
    ) -> impl Future<Output = bool> + Send;
}

pub fn pieces(source: impl Source) -> Pieces {
    let state = (source, VecDeque::new(), true);
    Box::pin(stream::unfold(state, |(mut source, mut ready, mut has_more)| async move {
        while ready.is_empty() && has_more {
            has_more = source.fill(&mut ready).await;
        }
        let piece = ready.pop_front()?;
        if piece.is_err() {
            has_more = false;
            ready.clear();
        }
        Some((piece, (source, ready, has_more)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    const WORDING: Wording = Wording { lang: Lang::En, path: "/v1/test" };

    async fn text(pieces: Pieces, framing: Framing) -> String {
        let response = respond(pieces, framing, WORDING, Metrics::default().open_stream());
        collected(response.into_body()).await
    }

    async fn collected(body: Body) -> String {
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    fn of(items: Vec<Result<Bytes, ApiError>>) -> Pieces {
        Box::pin(stream::iter(items))
    }

    #[tokio::test]
    async fn a_stream_ends_with_done_or_with_an_error() {
        let whole = of(vec![Ok("{\"a\":1}".into()), Ok("{}".into())]);
        let expected = "data: {\"a\":1}\n\ndata: {}\n\ndata: [DONE]\n\n";
        assert_eq!(text(whole, Framing::Data).await, expected);
        let failed =
            of(vec![Ok("{}".into()), Err(ApiError::new(ErrorCode::Timeout)), Ok("{}".into())]);
        let failed = text(failed, Framing::Data).await;
        assert!(
            failed.starts_with("data: {}\n\ndata: {\"error\":{\"code\":\"timeout\""),
            "{failed}"
        );
        assert!(!failed.contains("DONE") && failed.matches("data:").count() == 2, "{failed}");
        let typed =
            of(vec![Ok("{\"type\":\"a.b\"}".into()), Err(ApiError::new(ErrorCode::Timeout))]);
        let typed = text(typed, Framing::Typed).await;
        assert!(
            typed.starts_with("event: a.b\ndata: {\"type\":\"a.b\"}\n\nevent: error\n"),
            "{typed}"
        );
    }

    #[tokio::test]
    async fn a_silent_stream_is_kept_alive_and_ends_in_time() {
        let silent: Pieces = Box::pin(stream::pending());
        let silent = until(silent, Instant::now() + Duration::from_millis(80));
        let framed = framed(silent, Framing::Data, WORDING);
        let every = Duration::from_millis(30);
        let text =
            collected(written(framed, Framing::Data, every, Metrics::default().open_stream()));
        let text = text.await;
        assert!(text.starts_with(": alive\n\n: alive\n\ndata: {\"error\""), "{text}");
    }

    #[tokio::test]
    async fn what_fails_at_once_fails_before_the_head() {
        let failed = of(vec![Err(ApiError::new(ErrorCode::ContextFull))]);
        assert_eq!(first(failed).await.err().unwrap().code, ErrorCode::ContextFull);
        let good = first(of(vec![Ok("1".into()), Ok("2".into())])).await.unwrap();
        assert_eq!(good.count().await, 2);
        assert!(first(Box::pin(stream::pending())).await.is_ok());
    }
}
