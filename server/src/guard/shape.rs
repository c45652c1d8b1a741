//! One shape for every error: JSON with the table's code, in the request's language.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode, Lang};

use crate::http_error::{AsIs, ErrorBody, HttpError};

/// Writes the body of a handler's error, and words errors that axum or a layer made.
pub async fn errors(request: Request, next: Next) -> Response {
    let lang = lang(request.headers());
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let status = response.status();
    let made_here = response.extensions_mut().remove::<ApiError>();
    if made_here.is_none() && response.extensions_mut().remove::<AsIs>().is_some() {
        return response;
    }
    let Some(error) = made_here.or_else(|| by_status(status)) else { return response };
    let body = Json(ErrorBody::new(error, lang, &path)).into_response();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(parts, Body::new(body.into_body()))
}

/// The table's word for an error that no handler of ours made.
fn by_status(status: StatusCode) -> Option<ApiError> {
    let code = match status.as_u16() {
        404 => ErrorCode::NotFound,
        405 => ErrorCode::MethodNotAllowed,
        408 => ErrorCode::Timeout,
        400..=499 => {
            let error = ApiError::new(ErrorCode::InvalidRequest);
            return Some(error.with("reason", status.canonical_reason().unwrap_or("bad request")));
        }
        500..=599 => ErrorCode::Internal,
        _ => return None,
    };
    Some(ApiError::new(code))
}

/// Says how much a body may hold where a layer refused one.
pub async fn body_limit(State(max_bytes): State<usize>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() != StatusCode::PAYLOAD_TOO_LARGE {
        return response;
    }
    match response.extensions_mut().get_mut::<ApiError>() {
        // Of a reader of the body, who does not know the limit.
        Some(error) if error.params.is_empty() => {
            error.params.insert("max_bytes".to_owned(), max_bytes.to_string());
            response
        }
        Some(_) => response,
        None => {
            let error = ApiError::new(ErrorCode::PayloadTooLarge).with("max_bytes", max_bytes);
            HttpError::from(error).into_response()
        }
    }
}

/// German where the request prefers it to English.
pub fn lang(headers: &HeaderMap) -> Lang {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut languages = accepted.unwrap_or_default().split(',').map(|language| {
        language.split([';', '-']).next().unwrap_or_default().trim().to_ascii_lowercase()
    });
    match languages.find(|language| language == "de" || language == "en") {
        Some(language) if language == "de" => Lang::De,
        _ => Lang::En,
    }
}
