//! `/api/…`: collections, documents, the queue and the search, for the page and for programs.
//!
//! Callers are told apart as for the dialect; what each may do the handlers ask of their
//! [`Rights`](crate::people::Rights).

mod collections;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, header};
use axum::routing::{MethodRouter, get, patch};

use crate::gateway::Gateway;

/// A request without a file.
const TIMEOUT: Duration = Duration::from_secs(60);
const MAX_BODY_BYTES: usize = 4 << 20;

const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

pub fn router(gateway: Arc<Gateway>) -> Router {
    let add = |router: Router<_>, (path, handler)| router.route(path, handler);
    let small = routes().into_iter().fold(Router::new(), add);
    let small = small.layer(DefaultBodyLimit::disable()).with_state(gateway);
    crate::guard::limited(small, TIMEOUT, MAX_BODY_BYTES)
}

fn routes() -> Vec<(&'static str, MethodRouter<Arc<Gateway>>)> {
    vec![
        ("/api/collections", get(collections::list).post(collections::create)),
        (
            "/api/collections/{id}",
            patch(collections::change).get(collections::one).delete(collections::delete),
        ),
    ]
}
