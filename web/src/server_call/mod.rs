//! How does a request run on the server? As on the device: the same request in, the same messages out
//! ([`FromWorker`]), so that who asked need not know where it ran.
//!
//! A stream is asked for as one that can be picked up again (`server/src/gateway/kept.rs`): it goes on
//! on the server when the connection breaks or the tab closes, and is read on from the last event that
//! came.

pub mod http;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;
use portico_relay::protocol::{FromWorker, RequestId};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::events::EventReader;
use portico_shared::openai::{
    ChatCompletion, ChatCompletionChunk, ChatCompletionRequest, Completion, CompletionRequest,
    ModelList,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, ReadableStreamDefaultReader, Response};

use http::{sleep_ms, unreachable};

/// Asks for a stream that can be picked up.
const WANTED: (&str, &str) = ("portico-stream", "resumable");
const STREAM_ID: &str = "portico-stream-id";
const LAST_EVENT_ID: &str = "last-event-id";
/// Waits before a broken stream is picked up again.
const RETRY_MS: [i32; 6] = [300, 1_000, 2_000, 4_000, 8_000, 15_000];

/// What is asked.
#[derive(Clone, Debug)]
pub enum Asked {
    Chat(Box<ChatCompletionRequest>),
    Complete(Box<CompletionRequest>),
}

/// What comes: the messages, and once the id by which the stream can be picked up.
pub enum News {
    Said(FromWorker),
    Stream(String),
}

/// A request that runs on the server.
pub struct ServerCall {
    id: RequestId,
    is_completion: bool,
    tell: Box<dyn Fn(News)>,
    stream_id: RefCell<Option<String>>,
    last_event: RefCell<Option<String>>,
    abort: RefCell<Option<AbortController>>,
    stopped: Cell<bool>,
    over: Cell<bool>,
}

impl ServerCall {
    /// Asks.
    pub fn start(id: RequestId, asked: Asked, tell: impl Fn(News) + 'static) -> Rc<Self> {
        let call = Self::new(id, matches!(asked, Asked::Complete(_)), None, tell);
        let asking = call.clone();
        spawn_local(async move {
            if let Err(error) = asking.ask(&asked).await {
                asking.fail(error);
            }
        });
        call
    }

    /// Reads a chat's stream from its beginning, which another tab or an earlier visit began.
    pub fn pick_up(id: RequestId, stream_id: String, tell: impl Fn(News) + 'static) -> Rc<Self> {
        let call = Self::new(id, false, Some(stream_id), tell);
        let reading = call.clone();
        spawn_local(async move {
            if let Err(error) = reading.read_again().await {
                reading.fail(error);
            }
        });
        call
    }

    fn new(
        id: RequestId,
        is_completion: bool,
        stream_id: Option<String>,
        tell: impl Fn(News) + 'static,
    ) -> Rc<Self> {
        Rc::new(Self {
            id,
            is_completion,
            tell: Box::new(tell),
            stream_id: RefCell::new(stream_id),
            last_event: RefCell::new(None),
            abort: RefCell::new(None),
            stopped: Cell::new(false),
            over: Cell::new(false),
        })
    }

    /// Ends the answer with what stands.
    pub fn stop(self: &Rc<Self>) {
        if self.over.get() || self.stopped.replace(true) {
            return;
        }
        let stream_id = self.stream_id.borrow().clone();
        let Some(stream_id) = stream_id else {
            // Nothing is kept: hanging up ends it.
            self.hang_up();
            self.end(FromWorker::Done { id: self.id.clone(), stopped: true });
            return;
        };
        let call = self.clone();
        spawn_local(async move {
            let path = format!("/v1/streams/{stream_id}/cancel");
            // The stream then ends by itself; where it cannot be reached, it ends here.
            if http::fetch("POST", &path, None, &[], None).await.is_err() {
                call.hang_up();
                call.end(FromWorker::Done { id: call.id.clone(), stopped: true });
            }
        });
    }

    fn hang_up(&self) {
        if let Some(abort) = self.abort.take() {
            abort.abort();
        }
    }

    fn say(&self, message: FromWorker) {
        if !self.over.get() {
            (self.tell)(News::Said(message));
        }
    }

    fn end(&self, last: FromWorker) {
        if !self.over.replace(true) {
            (self.tell)(News::Said(last));
        }
    }

    fn fail(&self, error: ApiError) {
        self.end(match self.stopped.get() {
            true => FromWorker::Done { id: self.id.clone(), stopped: true },
            false => FromWorker::Failed { id: self.id.clone(), error },
        });
    }

    async fn ask(self: &Rc<Self>, asked: &Asked) -> Result<(), ApiError> {
        let json = |value: Result<String, serde_json::Error>| value.map_err(internal);
        let (path, body, is_stream) = match asked {
            Asked::Chat(request) => {
                ("/v1/chat/completions", json(serde_json::to_string(request))?, request.stream)
            }
            Asked::Complete(request) => {
                ("/v1/completions", json(serde_json::to_string(request))?, request.stream)
            }
        };
        let headers: &[(&str, &str)] = if is_stream { &[WANTED] } else { &[] };
        let response = self.fetch("POST", path, Some(&body), headers).await?;
        if !is_stream {
            let text = text(&response).await?;
            let id = self.id.clone();
            self.say(match asked {
                Asked::Chat(_) => {
                    FromWorker::Chat { id, completion: Box::new(parsed::<ChatCompletion>(&text)?) }
                }
                Asked::Complete(_) => FromWorker::Completion {
                    id,
                    completion: Box::new(parsed::<Completion>(&text)?),
                },
            });
            self.end(FromWorker::Done { id: self.id.clone(), stopped: false });
            return Ok(());
        }
        let stream_id = response.headers().get(STREAM_ID).ok().flatten();
        if let Some(stream_id) = &stream_id {
            (self.tell)(News::Stream(stream_id.clone()));
        }
        *self.stream_id.borrow_mut() = stream_id;
        match self.read(&response).await {
            Err(error) if can_be_picked_up(&error) && self.stream_id.borrow().is_some() => {
                self.read_again().await
            }
            read => read,
        }
    }

    /// Picks the stream up where it broke, as often as it breaks with something new between.
    async fn read_again(self: &Rc<Self>) -> Result<(), ApiError> {
        let mut n_tries = 0;
        loop {
            let stream_id = self.stream_id.borrow().clone().unwrap_or_default();
            let before = self.last_event.borrow().clone();
            let after = before.clone().unwrap_or_else(|| "0".to_owned());
            let path = format!("/v1/streams/{stream_id}");
            let read = match self.fetch("GET", &path, None, &[(LAST_EVENT_ID, &after)]).await {
                Ok(response) => self.read(&response).await,
                Err(error) => Err(error),
            };
            let Err(error) = read else { return Ok(()) };
            if !can_be_picked_up(&error) || self.over.get() {
                return Err(error);
            }
            if *self.last_event.borrow() != before {
                n_tries = 0;
            }
            let Some(&wait_ms) = RETRY_MS.get(n_tries) else { return Err(error) };
            n_tries += 1;
            sleep_ms(wait_ms).await;
        }
    }

    /// Tells a stream's events until it ends.
    async fn read(&self, response: &Response) -> Result<(), ApiError> {
        let Some(body) = response.body() else {
            return Err(internal("an answer without a body"));
        };
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        let mut events = EventReader::default();
        loop {
            let next = JsFuture::from(reader.read()).await.map_err(|e| unreachable(&e))?;
            let next: js_sys::IteratorNext = next.unchecked_into();
            if next.done() {
                return Err(
                    ApiError::new(ErrorCode::ServerUnreachable).detail("the stream broke off")
                );
            }
            let bytes = next.value().unchecked_into::<Uint8Array>().to_vec();
            for event in events.push(&bytes).map_err(internal)? {
                if event.data == "[DONE]" {
                    let stopped = self.stopped.get();
                    self.end(FromWorker::Done { id: self.id.clone(), stopped });
                    return Ok(());
                }
                self.take(&event.data)?;
                if event.id.is_some() {
                    *self.last_event.borrow_mut() = event.id;
                }
            }
        }
    }

    fn take(&self, data: &str) -> Result<(), ApiError> {
        if let Some(error) = http::error_in(data) {
            return Err(error);
        }
        let id = self.id.clone();
        self.say(if self.is_completion {
            FromWorker::Completion { id, completion: Box::new(parsed(data)?) }
        } else {
            FromWorker::ChatChunk { id, chunk: Box::new(parsed::<ChatCompletionChunk>(data)?) }
        });
        Ok(())
    }

    async fn fetch(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Result<Response, ApiError> {
        let abort = AbortController::new().map_err(|e| internal(format!("{e:?}")))?;
        *self.abort.borrow_mut() = Some(abort.clone());
        http::fetch(method, path, body, headers, Some(&abort.signal())).await
    }
}

/// Ends an answer that the server keeps, whoever reads it.
pub fn cancel(stream_id: String) {
    spawn_local(async move {
        let path = format!("/v1/streams/{stream_id}/cancel");
        if let Err(error) = http::fetch("POST", &path, None, &[], None).await {
            web_sys::console::warn_1(&format!("portico: {error}").into());
        }
    });
}

/// The ids of the models that the server answers with.
///
/// # Errors
/// `invalid_api_key` where it answers no page, `server_unreachable`.
pub async fn models() -> Result<Vec<String>, ApiError> {
    let response = http::fetch("GET", "/v1/models", None, &[], None).await?;
    let list: ModelList = parsed(&text(&response).await?)?;
    Ok(list.data.into_iter().map(|model| model.id).collect())
}

/// What lies at an address of the server.
///
/// # Errors
/// The server's, and `server_unreachable`.
pub async fn get(path: &str) -> Result<String, ApiError> {
    text(&http::fetch("GET", path, None, &[], None).await?).await
}

/// A request and its answer.
///
/// # Errors
/// The server's, and `server_unreachable`.
pub async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, ApiError> {
    parsed(&json(path, &serde_json::to_string(body).map_err(internal)?).await?)
}

/// Any other request of the dialect, JSON in, JSON out.
///
/// # Errors
/// The server's, and `server_unreachable`.
pub async fn json(path: &str, body: &str) -> Result<String, ApiError> {
    text(&http::fetch("POST", path, Some(body), &[], None).await?).await
}

/// The connection's fault: what was said is kept on the server.
fn can_be_picked_up(error: &ApiError) -> bool {
    error.code == ErrorCode::ServerUnreachable
}

/// A response's whole text.
///
/// # Errors
/// `server_unreachable`: it broke off.
pub async fn text(response: &Response) -> Result<String, ApiError> {
    let text = response.text().map_err(|error| unreachable(&error))?;
    let text = JsFuture::from(text).await.map_err(|error| unreachable(&error))?;
    Ok(text.as_string().unwrap_or_default())
}

fn parsed<T: DeserializeOwned>(json: &str) -> Result<T, ApiError> {
    serde_json::from_str(json)
        .map_err(|error| ApiError::new(ErrorCode::UpstreamFailed).detail(error))
}

fn internal(cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Internal).detail(cause)
}
