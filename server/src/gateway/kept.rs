//! How does an answer outlive the connection that asked for it?
//!
//! A request with `Portico-Stream: resumable` (or `"portico": {"resumable": true}`) is answered with
//! events that have ids, and with its stream's id in `Portico-Stream-Id`. What is said is kept: `GET
//! /v1/streams/{id}` goes on behind `Last-Event-ID`, from any tab of the same caller, as often as
//! wanted; `POST /v1/streams/{id}/cancel` ends it with what stands. Bounded in number, bytes and time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use futures_util::stream;
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Notify, watch};

use super::body::Body;
use super::events::{self, Framing, KEEP_ALIVE, Pieces, Wording};
use super::fault::Fault;
use super::here::fresh_id;
use super::{Caller, Gateway};
use crate::config::LimitsConfig;
use crate::http_error::RETRY_AFTER_S;
use crate::metrics::OpenStream;

const WANTED: &str = "portico-stream";
const ID: &str = "portico-stream-id";
const LAST_EVENT_ID: &str = "last-event-id";

/// How often streams whose time is over are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(5);

/// Whether a request asks for a stream that can be picked up again.
pub fn is_wanted(headers: &HeaderMap, body: &Body) -> bool {
    let by_header = headers.get(WANTED).is_some_and(|value| value == "resumable");
    let by_body = body.get("portico").and_then(|portico| portico.get("resumable"));
    by_header || by_body == Some(&Value::Bool(true))
}

/// All answers that are kept.
pub struct KeptStreams {
    streams: Mutex<HashMap<String, Arc<Kept>>>,
    max_streams: usize,
    max_bytes: usize,
    kept_for: Duration,
}

/// One answer: what was said of it so far, and whoever waits for more.
struct Kept {
    id: String,
    /// Only who asked may read it.
    who: String,
    said: Mutex<Said>,
    /// Changes whenever something is said.
    news: watch::Sender<u64>,
    cancelled: Notify,
}

#[derive(Default)]
struct Said {
    /// Frame i has the event id i + 1.
    frames: Vec<Bytes>,
    n_bytes: usize,
    ended: Option<Instant>,
}

impl KeptStreams {
    pub fn new(limits: &LimitsConfig) -> Arc<Self> {
        Arc::new(Self {
            streams: Mutex::default(),
            max_streams: limits.max_kept_streams,
            max_bytes: limits.max_kept_bytes,
            kept_for: limits.kept,
        })
    }

    pub fn len(&self) -> usize {
        self.streams().len()
    }

    /// Keeps what `pieces` say, and answers with it as it comes.
    ///
    /// # Errors
    /// `rate_limit_exceeded` when too many are running.
    pub fn keep(
        self: &Arc<Self>,
        caller: &Caller,
        pieces: Pieces,
        wording: Wording,
        open: OpenStream,
    ) -> Result<Response, ApiError> {
        let kept = Arc::new(Kept {
            id: fresh_id("strm"),
            who: caller.who.clone(),
            said: Mutex::default(),
            news: watch::Sender::new(0),
            cancelled: Notify::new(),
        });
        self.add(&kept)?;
        tokio::spawn(Arc::clone(&kept).listen(pieces, wording, self.max_bytes));
        Ok(kept.read(0, Some(open)))
    }

    fn add(&self, kept: &Arc<Kept>) -> Result<(), ApiError> {
        let mut streams = self.streams();
        if streams.len() >= self.max_streams {
            let ended = |kept: &Kept| kept.said().ended;
            let oldest = streams.values().filter_map(|kept| Some((ended(kept)?, kept.id.clone())));
            let Some((_, oldest)) = oldest.min() else {
                return Err(ApiError::new(ErrorCode::RateLimited).with(RETRY_AFTER_S, 10));
            };
            streams.remove(&oldest);
        }
        streams.insert(kept.id.clone(), Arc::clone(kept));
        Ok(())
    }

    fn get(&self, id: &str, caller: &Caller) -> Result<Arc<Kept>, ApiError> {
        let found = self.streams().get(id).filter(|kept| kept.who == caller.who).cloned();
        found.ok_or_else(|| ApiError::new(ErrorCode::StreamNotFound))
    }

    /// Forgets streams whose time is over, for ever.
    pub async fn keep_forgetting(&self) {
        loop {
            tokio::time::sleep(FORGET_EVERY.min(self.kept_for)).await;
            self.streams().retain(|_, kept| {
                kept.said().ended.is_none_or(|ended| ended.elapsed() < self.kept_for)
            });
        }
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<String, Arc<Kept>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Takes down what is said, whether somebody reads it or not.
    async fn listen(self: Arc<Self>, mut pieces: Pieces, wording: Wording, max_bytes: usize) {
        let framing = Framing::Data;
        let mut last = None;
        loop {
            let piece = tokio::select! {
                piece = pieces.next() => piece,
                () = self.cancelled.notified() => {
                    if let Some(stopped) = last.as_deref().and_then(stopped) {
                        self.say(&framing.frame(&stopped), false);
                    }
                    None
                }
            };
            match piece {
                Some(Ok(json)) => {
                    if self.say(&framing.frame(&json), false) > max_bytes {
                        let error = ApiError::new(ErrorCode::PayloadTooLarge);
                        let error = error.with("max_bytes", max_bytes);
                        self.say(&framing.error(error, wording), true);
                        return;
                    }
                    last = Some(json);
                }
                Some(Err(error)) => {
                    self.say(&framing.error(error, wording), true);
                    return;
                }
                None => {
                    self.say(&framing.end().unwrap_or_default(), true);
                    return;
                }
            }
        }
    }

    /// Gives how many bytes are kept.
    fn say(&self, frame: &[u8], is_end: bool) -> usize {
        let mut said = self.said();
        let mut numbered = format!("id: {}\n", said.frames.len() + 1).into_bytes();
        numbered.extend_from_slice(frame);
        said.n_bytes += numbered.len();
        said.frames.push(numbered.into());
        if is_end {
            said.ended = Some(Instant::now());
        }
        let n_bytes = said.n_bytes;
        drop(said);
        self.news.send_modify(|n| *n += 1);
        n_bytes
    }

    /// The events behind the first `after`, then those to come.
    fn read(self: &Arc<Self>, after: usize, open: Option<OpenStream>) -> Response {
        let reader = Reader { kept: Arc::clone(self), next: after, news: self.news.subscribe() };
        let frames = stream::unfold((reader, open), |(mut reader, open)| async move {
            let frame = reader.next().await?;
            Some((Ok::<_, std::convert::Infallible>(frame), (reader, open)))
        });
        let mut response = events::response(axum::body::Body::from_stream(frames));
        if let Ok(id) = HeaderValue::from_str(&self.id) {
            response.headers_mut().insert(ID, id);
        }
        response
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Reader {
    kept: Arc<Kept>,
    next: usize,
    news: watch::Receiver<u64>,
}

impl Reader {
    /// What was said since the last time, in one piece.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            {
                let said = self.kept.said();
                let news = said.frames.get(self.next..).unwrap_or_default();
                if !news.is_empty() {
                    self.next = said.frames.len();
                    return Some(Bytes::from(news.concat()));
                }
                if said.ended.is_some() {
                    return None;
                }
            }
            match tokio::time::timeout(KEEP_ALIVE, self.news.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(Bytes::from_static(b": alive\n\n")),
            }
        }
    }
}

/// An answer's last event when it was stopped, made of the one before.
fn stopped(last: &[u8]) -> Option<Bytes> {
    let mut event: Value = serde_json::from_slice(last).ok()?;
    let fields = event.as_object_mut()?;
    fields.remove("usage");
    // What is said of the whole answer is not what was said of its last piece.
    fields.remove("portico");
    let ending = match fields.get("object")?.as_str()? {
        "text_completion" => {
            serde_json::json!({ "index": 0, "text": "", "logprobs": null, "finish_reason": "stop" })
        }
        _ => serde_json::json!({ "index": 0, "delta": {}, "finish_reason": "stop" }),
    };
    fields.insert("choices".to_owned(), Value::Array(vec![ending]));
    Some(Bytes::from(event.to_string()))
}

/// Where a reader stands, where it cannot send the header.
#[derive(Deserialize)]
pub struct Behind {
    after: Option<usize>,
}

/// `GET /v1/streams/{id}`
pub async fn pick_up(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(behind): Query<Behind>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let kept = gateway.kept.get(&id, &caller)?;
    let header = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()?.trim().parse().ok());
    let after = header.or(behind.after).unwrap_or(0);
    Ok(kept.read(after, Some(gateway.metrics.open_stream())))
}

/// What cancelling answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cancelled {
    pub id: String,
    /// False when it had ended already.
    pub cancelled: bool,
}

/// `POST /v1/streams/{id}/cancel`
pub async fn cancel(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Fault> {
    let kept = gateway.kept.get(&id, &caller)?;
    let cancelled = kept.said().ended.is_none();
    kept.cancelled.notify_one();
    Ok(Json(Cancelled { id, cancelled }))
}

#[cfg(test)]
mod tests {
    use portico_shared::error::Lang;

    use super::*;
    use crate::metrics::Metrics;

    const WORDING: Wording = Wording { lang: Lang::En, path: "/v1/test" };

    fn caller(who: &str) -> Caller {
        Caller::named(who)
    }

    fn streams(max_streams: usize, max_bytes: usize) -> Arc<KeptStreams> {
        let limits = LimitsConfig {
            max_kept_streams: max_streams,
            max_kept_bytes: max_bytes,
            ..LimitsConfig::default()
        };
        KeptStreams::new(&limits)
    }

    fn numbers(n: usize) -> Pieces {
        let pieces = (1..=n).map(|i| Ok(Bytes::from(format!("{{\"n\":{i}}}"))));
        Box::pin(stream::iter(pieces.collect::<Vec<_>>()))
    }

    fn keep(streams: &Arc<KeptStreams>, pieces: Pieces) -> Result<Response, ApiError> {
        let open = Metrics::default().open_stream();
        streams.keep(&caller("a"), pieces, WORDING, open)
    }

    fn id(response: &Response) -> String {
        response.headers()[ID].to_str().unwrap().to_owned()
    }

    async fn text(response: Response) -> String {
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn it_is_told_again_from_any_place() {
        let streams = streams(10, 1_000);
        let first = keep(&streams, numbers(2)).unwrap();
        let kept = streams.get(&id(&first), &caller("a")).unwrap();
        let whole = "id: 1\ndata: {\"n\":1}\n\nid: 2\ndata: {\"n\":2}\n\nid: 3\ndata: [DONE]\n\n";
        assert_eq!(text(first).await, whole);
        assert_eq!(text(kept.read(0, None)).await, whole);
        assert_eq!(text(kept.read(1, None)).await, whole[whole.find("id: 2").unwrap()..]);
        assert_eq!(text(kept.read(3, None)).await, "");
        assert!(streams.get(&kept.id, &caller("b")).is_err(), "another's");
    }

    #[tokio::test]
    async fn it_goes_on_without_a_reader_and_ends_when_cancelled() {
        let streams = streams(10, 10_000);
        let (say, said) = tokio::sync::mpsc::channel::<Bytes>(1);
        let said = stream::unfold(said, |mut said| async { Some((Ok(said.recv().await?), said)) });
        let first = keep(&streams, Box::pin(said)).unwrap();
        let kept = streams.get(&id(&first), &caller("a")).unwrap();
        drop(first);
        let event =
            r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"}}]}"#;
        say.send(event.into()).await.unwrap();
        let again = kept.read(0, None);
        say.send(event.into()).await.unwrap();
        // The second was taken in when the third can be sent.
        say.send(event.into()).await.unwrap();
        kept.cancelled.notify_one();
        let told = text(again).await;
        assert!(
            told.contains("\"finish_reason\":\"stop\"") && told.ends_with("[DONE]\n\n"),
            "{told}"
        );
        assert!(say.send(event.into()).await.is_err(), "its source was dropped");
    }

    #[tokio::test]
    async fn number_and_bytes_are_bounded() {
        let streams = streams(2, 100);
        let long = text(keep(&streams, numbers(50)).unwrap()).await;
        assert!(long.contains("payload_too_large") && long.len() < 600, "{long}");
        let running = || keep(&streams, Box::pin(stream::pending()));
        let _one = running().unwrap();
        // The one that has ended makes room.
        let _other = running().unwrap();
        assert_eq!(running().err().unwrap().code, ErrorCode::RateLimited);
        assert_eq!(streams.len(), 2);
    }

    #[test]
    fn a_reader_says_what_it_wants() {
        let body = |json: &str| Body::from_bytes(json.as_bytes()).unwrap();
        let mut headers = HeaderMap::new();
        assert!(!is_wanted(&headers, &body("{}")));
        assert!(is_wanted(&headers, &body(r#"{"portico":{"resumable":true}}"#)));
        headers.insert(WANTED, HeaderValue::from_static("resumable"));
        assert!(is_wanted(&headers, &body("{}")));
    }
}
