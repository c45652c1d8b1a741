//! How do a feature's handlers become routes with limits of their own?

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, header};
use axum::routing::MethodRouter;

use super::limited;
use crate::gateway::Gateway;

/// What is said to one person is kept by no cache.
pub const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// Handlers by their paths.
pub type Routes = Vec<(&'static str, MethodRouter<Arc<Gateway>>)>;

/// `routes` behind the limits of [`limited`]; axum's own limit of bodies does not apply to them.
pub fn routed(
    gateway: &Arc<Gateway>,
    routes: Routes,
    request_timeout: Duration,
    max_body_bytes: usize,
) -> Router {
    let add = |router: Router<_>, (path, handler)| router.route(path, handler);
    let routes = routes.into_iter().fold(Router::new(), add);
    let routes = routes.layer(DefaultBodyLimit::disable()).with_state(Arc::clone(gateway));
    limited(routes, request_timeout, max_body_bytes)
}
