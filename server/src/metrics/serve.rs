//! `/metrics`

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts as _, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use portico_shared::error::ErrorCode;

use super::readers::{Peer, is_local};
use super::{HostedNow, UpstreamNow};
use crate::config::MetricsReaders;
use crate::gateway::{Caller, Gateway};
use crate::http_error::HttpError;

const CONTENT_TYPE: [(HeaderName, HeaderValue); 2] = [
    (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(gateway)
}

async fn metrics(
    State(gateway): State<Arc<Gateway>>,
    mut parts: Parts,
) -> Result<impl IntoResponse, HttpError> {
    let may_read = match gateway.config.access.metrics {
        MetricsReaders::Anyone => true,
        MetricsReaders::Nobody => false,
        MetricsReaders::Loopback => is_local(parts.extensions.get::<Peer>(), &parts.headers),
        MetricsReaders::Key => Caller::from_request_parts(&mut parts, &gateway).await?.has_key(),
    };
    if !may_read {
        return Err(ErrorCode::NotForYou.into());
    }
    let upstreams: Vec<UpstreamNow> = gateway
        .fleet
        .upstreams
        .iter()
        .map(|upstream| UpstreamNow {
            id: upstream.id.clone(),
            is_well: upstream.is_well(),
            n_running: upstream.n_running(),
        })
        .collect();
    let hosted: Vec<HostedNow> = gateway.hosted_now();
    let text = gateway.metrics.text(&hosted, &upstreams, gateway.kept.len());
    Ok((CONTENT_TYPE, text.map_err(HttpError::internal)?))
}
