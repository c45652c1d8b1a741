//! `/api/jobs`

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use portico_shared::error::{ApiError, ErrorCode};
use uuid::Uuid;

use super::NO_STORE;
use crate::documents::Jobs;
use crate::gateway::{Caller, Gateway};
use crate::http_error::HttpError;
use crate::people::Rights;

/// How often the queue is looked at for those who watch it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A browser asks again by itself.
const LASTS: Duration = Duration::from_secs(300);
/// A silent stream says that it is alive.
const ALIVE_EVERY: u32 = 30;

pub async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    Ok((NO_STORE, Json(gateway.documents.jobs(&caller.rights).await?)))
}

pub async fn cancel(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    let cancelled = gateway.documents.cancel_job(&caller.rights, job_id(&id)?).await?;
    let object = format!("{}/{}", cancelled.collection, cancelled.document);
    gateway.note_act(&caller, "document_cancelled", &object);
    Ok(StatusCode::NO_CONTENT)
}

pub async fn retry(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    gateway.documents.retry_job(&caller.rights, job_id(&id)?).await?;
    Ok(StatusCode::ACCEPTED)
}

fn job_id(text: &str) -> Result<Uuid, ApiError> {
    text.parse().map_err(|_| ApiError::new(ErrorCode::JobNotFound))
}

/// The queue as `GET /api/jobs` says it, again whenever it has changed. It ends when the client
/// goes, with the server, and after a while, so that whoever asks again is asked who they are.
pub async fn events(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Response, HttpError> {
    const HEAD: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would gather what is to come piece by piece.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let open = gateway.metrics.open_stream();
    let watcher = Watcher {
        gateway,
        rights: caller.rights,
        last: None,
        until: Instant::now() + LASTS,
        _open: open,
    };
    let events = stream::unfold(watcher, |mut watcher| async {
        let gateway = Arc::clone(&watcher.gateway);
        let event = tokio::select! {
            event = watcher.next() => event?,
            () = gateway.ending.begun() => return None,
        };
        Some((Ok::<_, Infallible>(event), watcher))
    });
    Ok((HEAD, Body::from_stream(events)).into_response())
}

struct Watcher {
    gateway: Arc<Gateway>,
    rights: Rights,
    last: Option<Jobs>,
    until: Instant,
    _open: crate::metrics::OpenStream,
}

impl Watcher {
    /// The next event; none when the queue cannot be read any more, or its time is over.
    async fn next(&mut self) -> Option<Bytes> {
        if Instant::now() > self.until {
            return None;
        }
        for _ in 0..ALIVE_EVERY {
            if self.last.is_some() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            let jobs = self.gateway.documents.jobs(&self.rights).await;
            let jobs = jobs.inspect_err(|error| tracing::error!(%error, "the queue")).ok()?;
            if self.last.as_ref() != Some(&jobs) {
                let json = serde_json::to_string(&jobs).ok()?;
                self.last = Some(jobs);
                return Some(Bytes::from(format!("event: jobs\ndata: {json}\n\n")));
            }
        }
        Some(Bytes::from_static(b": alive\n\n"))
    }
}
