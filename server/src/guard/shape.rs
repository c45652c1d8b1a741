//! One shape for every error: JSON with the table's code, in the request's language.
//!
//! `{"error": {"code": "model_not_found", "params": {…}, "detail": "…", "message": "…"}}`; without
//! `message` it is the `ApiError` of `portico-shared`.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode, Lang};
use serde::Serialize;

#[derive(Serialize)]
struct ErrorBody {
    error: ErrorWithMessage,
}

#[derive(Serialize)]
struct ErrorWithMessage {
    #[serde(flatten)]
    error: ApiError,
    /// For people who read JSON; the page words it by `code`.
    message: String,
}

/// Writes the body of a handler's error, and words errors that axum or a layer made.
pub async fn errors(State(max_body_bytes): State<usize>, request: Request, next: Next) -> Response {
    let lang = lang(request.headers());
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let status = response.status();
    let made_here = response.extensions_mut().remove::<ApiError>();
    let Some(error) = made_here.or_else(|| by_status(status, max_body_bytes)) else {
        return response;
    };
    let error = without_secrets(error, &path);
    let message = error.text(lang);
    let body = Json(ErrorBody { error: ErrorWithMessage { error, message } }).into_response();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(parts, Body::new(body.into_body()))
}

/// The table's word for an error that no handler of ours made.
fn by_status(status: StatusCode, max_body_bytes: usize) -> Option<ApiError> {
    let code = match status.as_u16() {
        404 => ErrorCode::NotFound,
        405 => ErrorCode::MethodNotAllowed,
        408 => ErrorCode::Timeout,
        413 => {
            let error = ApiError::new(ErrorCode::PayloadTooLarge);
            return Some(error.with("max_bytes", max_body_bytes));
        }
        400..=499 => {
            let error = ApiError::new(ErrorCode::InvalidRequest);
            return Some(error.with("reason", status.canonical_reason().unwrap_or("bad request")));
        }
        500..=599 => ErrorCode::Internal,
        _ => return None,
    };
    Some(ApiError::new(code))
}

/// Logs what is the server's own fault, here and nowhere else, and keeps its cause from the client.
fn without_secrets(mut error: ApiError, path: &str) -> ApiError {
    if error.code.status() >= 500
        && let Some(detail) = error.detail.take()
    {
        tracing::error!(code = %error.code, path, detail, "a request failed");
    }
    error
}

/// German where the request prefers it to English.
fn lang(headers: &HeaderMap) -> Lang {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut languages = accepted.unwrap_or_default().split(',').map(|language| {
        language.split([';', '-']).next().unwrap_or_default().trim().to_ascii_lowercase()
    });
    match languages.find(|language| language == "de" || language == "en") {
        Some(language) if language == "de" => Lang::De,
        _ => Lang::En,
    }
}
