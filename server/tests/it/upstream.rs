//! An inference server on a real socket that misbehaves as its model's name says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

/// What it saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub requests: AtomicUsize,
    /// Streams that were not read to their end.
    pub cut: AtomicUsize,
    pub last: std::sync::Mutex<(HeaderMap, Value)>,
}

pub struct Upstream {
    pub url: String,
    pub seen: Arc<Seen>,
    server: tokio::task::JoinHandle<()>,
}

impl Upstream {
    pub async fn start() -> Self {
        let seen = Arc::<Seen>::default();
        let routes = Router::new()
            .route("/v1/models", get(|| async { Json(json!({ "data": [] })) }))
            .route("/v1/chat/completions", post(answer))
            .route("/v1/embeddings", post(embeddings))
            .with_state(Arc::clone(&seen));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let config = portico_server::listen::ListenConfig::default();
            let never = std::future::pending();
            portico_server::listen::serve(listener, routes, config, never).await.unwrap();
        });
        Self { url, seen, server }
    }

    pub fn n_requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }

    pub fn n_cut(&self) -> usize {
        self.seen.cut.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An upstream behind TLS, whose certificate an authority of its own has signed.
pub struct TlsUpstream {
    pub url: String,
    pub inner: Upstream,
    /// PEM of the authority, and of another one.
    pub authority: String,
    pub other: String,
    server: tokio::task::JoinHandle<()>,
}

impl TlsUpstream {
    pub async fn start() -> Self {
        Self::start_until(None).await
    }

    /// With a certificate that ends on this day: year, month, day.
    pub async fn start_until(end: Option<(i32, u8, u8)>) -> Self {
        let authority = || {
            let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            let key = rcgen::KeyPair::generate().unwrap();
            let pem = params.self_signed(&key).unwrap().pem();
            (rcgen::Issuer::new(params, key), pem)
        };
        let ((issuer, pem), (_, other)) = (authority(), authority());
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        if let Some((year, month, day)) = end {
            params.not_after = rcgen::date_time_ymd(year, month, day);
        }
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let inner = Upstream::start().await;
        let plain = inner.url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/v1", listener.local_addr().unwrap().port());
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, plain) = (acceptor.clone(), plain.clone());
                tokio::spawn(async move {
                    // A client that does not trust it goes.
                    let Ok(mut outside) = acceptor.accept(stream).await else { return };
                    let mut inside = tokio::net::TcpStream::connect(plain).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Self { url, inner, authority: pem, other, server }
    }
}

impl Drop for TlsUpstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Nobody listens here.
pub fn dead_url() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

fn event(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

fn chunk(text: &str) -> Bytes {
    event(&json!({
        "id": "u", "object": "chat.completion.chunk", "created": 1, "model": "theirs",
        "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }],
    }))
}

/// Counts a stream that is dropped before its end.
struct Cut(Arc<Seen>, bool);

impl Cut {
    fn is_whole(&mut self) {
        self.1 = true;
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        if !self.1 {
            self.0.cut.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn events(seen: Arc<Seen>, events: Vec<Result<Bytes, std::io::Error>>, then_hang: bool) -> Body {
    let state = (Cut(seen, false), events.into_iter());
    Body::from_stream(stream::unfold(state, move |(mut cut, mut events)| async move {
        match events.next() {
            Some(Err(error)) => {
                // What was said before has left by then.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some((Err(error), (cut, events)))
            }
            Some(event) => Some((event, (cut, events))),
            None if then_hang => std::future::pending().await,
            None => {
                cut.is_whole();
                None
            }
        }
    }))
}

/// A piece each 200 ms.
fn paced(events: Vec<Result<Bytes, std::io::Error>>) -> Body {
    Body::from_stream(stream::iter(events).then(|event| async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        event
    }))
}

async fn answer(
    State(seen): State<Arc<Seen>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    seen.requests.fetch_add(1, Ordering::SeqCst);
    *seen.last.lock().unwrap() = (headers, body.clone());
    let usage = json!({ "prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14 });
    let refuse = |status: u16, message: &str| {
        let error =
            json!({ "error": { "message": message, "type": "t", "param": "p", "code": "c" } });
        (StatusCode::from_u16(status).unwrap(), Json(error)).into_response()
    };
    let model = body["model"].as_str().unwrap().to_owned();
    match model.as_str() {
        "refuses" => return refuse(400, "No such thing."),
        "busy" => return refuse(429, "Later."),
        "down" => return refuse(503, "Down."),
        "locked" => return refuse(401, "Who are you?"),
        "slow" => tokio::time::sleep(Duration::from_secs(60)).await,
        _ => {}
    }
    if body["stream"] != true {
        return Json(json!({
            "id": "u", "object": "chat.completion", "created": 1, "model": "theirs",
            "choices": [{ "index": 0, "finish_reason": "stop",
                "message": { "role": "assistant", "content": "one two three" } }],
            "usage": usage,
        }))
        .into_response();
    }
    let mut pieces: Vec<Result<Bytes, std::io::Error>> =
        ["one ", "two ", "three"].map(|text| Ok(chunk(text))).into();
    let mut then_hang = false;
    match model.as_str() {
        "dies" => pieces.push(Err(std::io::Error::other("it dies"))),
        "dies-first" => pieces = vec![Err(std::io::Error::other("it dies"))],
        "stalls" => then_hang = true,
        "paced" => {
            pieces.push(Ok(Bytes::from_static(b"data: [DONE]\n\n")));
            return ([("content-type", "text/event-stream")], paced(pieces)).into_response();
        }
        _ => {
            let end = json!({ "id": "u", "object": "chat.completion.chunk", "created": 1, "model": "theirs",
                "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
            pieces.push(Ok(event(&end)));
            if body["stream_options"]["include_usage"] == true {
                let counts = json!({ "id": "u", "object": "chat.completion.chunk", "created": 1,
                    "model": "theirs", "choices": [], "usage": usage });
                pieces.push(Ok(event(&counts)));
            }
            pieces.push(Ok(Bytes::from_static(b"data: [DONE]\n\n")));
        }
    }
    ([("content-type", "text/event-stream")], events(seen, pieces, then_hang)).into_response()
}

async fn embeddings(State(seen): State<Arc<Seen>>, Json(_): Json<Value>) -> impl IntoResponse {
    seen.requests.fetch_add(1, Ordering::SeqCst);
    Json(json!({
        "object": "list", "model": "theirs", "usage": { "prompt_tokens": 5, "total_tokens": 5 },
        "data": [{ "object": "embedding", "index": 0, "embedding": [0.6, 0.8] }],
    }))
}

/// The data of a stream's events, `[DONE]` left out, and whether that stood there.
pub fn data(text: &str) -> (Vec<Value>, bool) {
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let (done, events): (Vec<&str>, Vec<&str>) = lines.partition(|data| *data == "[DONE]");
    (events.iter().map(|data| serde_json::from_str(data).unwrap()).collect(), !done.is_empty())
}

/// The text that a chat's events say.
pub fn said(events: &[Value]) -> String {
    events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
}

/// Everything that is left of a body.
pub async fn rest(body: Body) -> String {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}
