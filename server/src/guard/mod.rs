//! What does every request pass before a feature sees it, and every answer before it leaves?
//!
//! From the outside in: log, security headers, one shape of error, no panic gets out, the host's
//! name, a time limit up to the answer's head, a limit for bodies.

mod headers;
mod host;
mod routes;
mod shape;

pub use headers::{CONTENT_SECURITY_POLICY, OwnPolicy};
pub use host::HostPolicy;
pub use routes::{NO_STORE, Routes, routed};
pub use shape::lang;

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use portico_shared::error::ErrorCode;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::trace::TraceLayer;

use crate::embed::Embedders;
use crate::http_error::HttpError;

/// Limits and names.
#[derive(Clone, Debug)]
pub struct GuardConfig {
    pub hosts: HostPolicy,
    pub embedders: Embedders,
    /// From a request's head to its answer's head; streams may last longer.
    pub request_timeout: Duration,
    pub max_body_bytes: usize,
}

impl Default for GuardConfig {
    fn default() -> Self {
        Self {
            hosts: HostPolicy::Any,
            embedders: Embedders::default(),
            request_timeout: Duration::from_secs(30),
            max_body_bytes: 1024 * 1024,
        }
    }
}

/// `routes` behind the guards.
pub fn guarded(routes: Router, config: GuardConfig) -> Router {
    let routes = limited(routes, config.request_timeout, config.max_body_bytes);
    outer(routes, config.hosts, config.embedders)
}

/// `routes` with their own limits; [`outer`] goes around several of them.
pub fn limited(routes: Router, request_timeout: Duration, max_body_bytes: usize) -> Router {
    routes
        .layer(RequestBodyLimitLayer::new(max_body_bytes))
        .layer(from_fn_with_state(max_body_bytes, shape::body_limit))
        .layer(from_fn_with_state(request_timeout, time_limit))
}

/// What all requests pass.
pub fn outer(routes: Router, hosts: HostPolicy, embedders: Embedders) -> Router {
    routes
        .layer(from_fn_with_state(hosts, host::check))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(shape::errors))
        .layer(from_fn_with_state(embedders, headers::add))
        .layer(TraceLayer::new_for_http())
}

async fn time_limit(
    axum::extract::State(limit): axum::extract::State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => HttpError::from(ErrorCode::Timeout).into_response(),
    }
}

fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("no message");
    HttpError::internal(format!("panic: {text}")).into_response()
}
