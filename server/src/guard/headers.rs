//! The headers that tell a browser what the page may do: nothing but itself.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::embed::Embedders;

/// Only this origin, and no inline script or style. `wasm-unsafe-eval` allows compiling WebAssembly
/// and nothing else.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
    script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const PERMISSIONS_POLICY: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), \
    payment=(), usb=(), serial=(), midi=(), browsing-topics=()";

/// COOP and COEP make the page cross-origin isolated: precise timers, and no other site holds a
/// handle to its window.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
];

/// In a response's extensions: what may be done with it and who may frame it, its own headers say.
#[derive(Clone, Copy, Debug)]
pub struct OwnPolicy;

/// Adds them to every answer; what may be embedded is opened to those who may.
pub async fn add(State(embedders): State<Embedders>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = next.run(request).await;
    let has_own_policy = response.extensions_mut().remove::<OwnPolicy>().is_some();
    for (name, value) in HEADERS {
        let is_policy = name == header::CONTENT_SECURITY_POLICY || name == header::X_FRAME_OPTIONS;
        if is_policy && has_own_policy {
            continue;
        }
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    embedders.open(&path, origin.as_ref(), response.headers_mut());
    response
}
