//! `/api/sync/…`: `portico_shared::sync::wire` says what is said there.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::{
    KeyringState, PUSH_MAX_BYTES, Position, Pushed, PutKeyring, SIGNAL_MAX_BYTES, Signal, Wake,
};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

use super::body;
use crate::gateway::{Caller, Gateway};
use crate::guard::{Routes, routed};
use crate::http_error::HttpError;
use crate::metrics::OpenStream;
use crate::people::{PersonId, cookie_of};

/// A request's time up to its answer's head.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a silent listener is told that the server is there, and asked for whether it may listen.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

pub fn router(gateway: Arc<Gateway>) -> Router {
    let routes: Routes = vec![
        ("/api/sync/push", post(push)),
        ("/api/sync/pull", get(pull)),
        ("/api/sync/snapshot", get(snapshot)),
        ("/api/sync/conversations/{id}", get(conversation)),
        ("/api/sync/conversations/{id}/withdraw", post(withdraw)),
        ("/api/sync/events", get(events)),
        ("/api/sync/signal", post(signal).layer(DefaultBodyLimit::max(SIGNAL_MAX_BYTES))),
        ("/api/sync/keyring", get(keyring).put(put_keyring)),
    ];
    routed(&gateway, routes, TIMEOUT, PUSH_MAX_BYTES)
}

async fn push(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Pushed>, HttpError> {
    let person = caller.may_sync()?;
    let lines = body::lines(&headers, body).await?;
    Ok(Json(gateway.sync.push(person, lines).await?))
}

#[derive(Deserialize)]
struct Since {
    epoch: Option<Uuid>,
    since: Option<u64>,
    until: Option<u64>,
    mark: Option<Uuid>,
}

async fn pull(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(since): Query<Since>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let person = caller.may_sync()?;
    let cursor = since.since.unwrap_or(0);
    let position = Position { epoch: since.epoch, cursor, mark: since.mark };
    let lines = gateway.sync.pull(person, position, since.until).await?;
    Ok(body::response(&headers, lines).await?)
}

#[derive(Deserialize)]
struct After {
    after: Option<Uuid>,
}

async fn snapshot(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let person = caller.may_sync()?;
    let lines = gateway.sync.snapshot(person, after.after).await?;
    Ok(body::response(&headers, lines).await?)
}

async fn conversation(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(since): Query<Since>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let person = caller.may_sync()?;
    let id = conversation_id(&id)?;
    let lines = gateway.sync.conversation(person, id, since.since.unwrap_or(0)).await?;
    Ok(body::response(&headers, lines).await?)
}

async fn withdraw(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, HttpError> {
    // Also of who may not sync any more.
    let person = caller.signed_in()?;
    let conversation = conversation_id(&id)?;
    gateway.sync.withdraw(person, conversation).await?;
    gateway.shares.withdraw(person, conversation).await?;
    gateway.attachments.tidy_now().await;
    Ok(StatusCode::NO_CONTENT)
}

async fn signal(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Json(signal): Json<Signal>,
) -> Result<StatusCode, HttpError> {
    let person = caller.may_sync()?;
    gateway.sync.tell(person, Wake::Signal(signal));
    Ok(StatusCode::ACCEPTED)
}

async fn keyring(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Json<KeyringState>, HttpError> {
    let person = caller.may_sync()?;
    Ok(Json(gateway.sync.keyring(person).await?))
}

async fn put_keyring(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Json(put): Json<PutKeyring>,
) -> Result<Json<KeyringState>, HttpError> {
    let person = caller.may_sync()?;
    let state = gateway.sync.put_keyring(person, put).await?;
    gateway.attachments.tidy_now().await;
    Ok(Json(state))
}

fn conversation_id(text: &str) -> Result<Uuid, ApiError> {
    text.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))
}

/// The log's end, again whenever it grows, and signals as they come; it ends with the session
/// and with the server.
async fn events(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    const HEAD: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would gather what is to come piece by piece.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let person = caller.may_sync()?;
    let listener = Listener {
        // Before the end is read, so that nothing falls between.
        wakes: gateway.sync.listen(person)?,
        person,
        headers: (!caller.has_key()).then_some(headers),
        is_behind: true,
        _open: gateway.metrics.open_stream(),
        gateway,
    };
    let events = stream::unfold(listener, |mut listener| async {
        let gateway = Arc::clone(&listener.gateway);
        let event = tokio::select! {
            event = listener.next() => event?,
            () = gateway.ending.begun() => return None,
        };
        Some((Ok::<_, Infallible>(event), listener))
    });
    Ok((HEAD, Body::from_stream(events)).into_response())
}

struct Listener {
    gateway: Arc<Gateway>,
    person: PersonId,
    /// With the session's cookie; a key's caller has none.
    headers: Option<HeaderMap>,
    wakes: Receiver<Wake>,
    /// The log's end is to be told.
    is_behind: bool,
    _open: OpenStream,
}

impl Listener {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if std::mem::take(&mut self.is_behind) {
                return event(&self.gateway.sync.end(self.person).await.ok()?);
            }
            match tokio::time::timeout(ALIVE_EVERY, self.wakes.recv()).await {
                Ok(Ok(wake)) => return event(&wake),
                Ok(Err(RecvError::Lagged(_))) => self.is_behind = true,
                Ok(Err(RecvError::Closed)) => return None,
                Err(_) if self.may_listen().await => {
                    return Some(Bytes::from_static(b": alive\n\n"));
                }
                Err(_) => return None,
            }
        }
    }

    /// Whether the session still holds.
    async fn may_listen(&self) -> bool {
        let Some(headers) = &self.headers else { return true };
        let Some(session) = cookie_of(headers) else { return false };
        matches!(self.gateway.people.signed_in(session).await, Ok(Some(_)))
    }
}

fn event(wake: &Wake) -> Option<Bytes> {
    let json = serde_json::to_string(wake).ok()?;
    Some(Bytes::from(format!("data: {json}\n\n")))
}
