//! How does an error leave over HTTP?
//!
//! A handler returns [`HttpError`]; it rides in the response's extensions until
//! [`crate::guard`] writes the body, in the language of the request, and logs what is the server's
//! own fault once.
//!
//! `{"error": {"code": "model_not_found", "message": "…", "type": "invalid_request_error", "param":
//! null, "params": {…}, "detail": "…"}}`: OpenAI's clients read the first four, the page the
//! `ApiError` of `portico-shared` that the others make of it.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode, Lang};
use serde::Serialize;

/// The parameter that names the field of a request that is at fault.
pub const PARAM: &str = "param";
/// The parameter that names a file or a folder of the server's disk.
const PLACE: &str = "path";
/// The parameter that says when to try again.
pub const RETRY_AFTER_S: &str = "retry_after_s";

/// In a response's extensions: its error is worded already and goes out as it is.
#[derive(Clone, Copy, Debug)]
pub struct AsIs;

/// An error's body.
#[derive(Debug, Serialize)]
pub struct ErrorBody {
    error: Worded,
}

#[derive(Debug, Serialize)]
struct Worded {
    #[serde(flatten)]
    error: ApiError,
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<String>,
}

impl ErrorBody {
    /// Words an error, and logs the cause of what is the server's own fault, which no client sees, nor where on the
    /// server's disk it was.
    pub fn new(mut error: ApiError, lang: Lang, path: &str) -> Self {
        if error.code.status() >= 500 {
            let place = error.params.get(PLACE).cloned();
            if let Some(place) = &place {
                error.params.insert(PLACE.to_owned(), end_of(place));
            }
            let detail = error.detail.take();
            if place.is_some() || detail.is_some() {
                tracing::error!(code = %error.code, path, place, detail, "a request failed");
            }
        }
        let message = error.text(lang);
        let param = error.params.get(PARAM).cloned();
        Self { error: Worded { kind: kind_of(error.code), error, message, param } }
    }
}

/// `/srv/portico/files/27` → `files/27`
fn end_of(place: &str) -> String {
    let mut parts: Vec<&str> = place.rsplit(['/', '\\']).take(2).collect();
    parts.reverse();
    parts.join("/")
}

/// OpenAI's class of an error.
fn kind_of(code: ErrorCode) -> &'static str {
    match (code, code.status()) {
        (ErrorCode::QuotaUsedUp | ErrorCode::PersonQuotaUsedUp, _) => "insufficient_quota",
        (_, 401) => "authentication_error",
        (_, 403) => "permission_error",
        (_, 429) => "rate_limit_error",
        (_, 500..) => "server_error",
        _ => "invalid_request_error",
    }
}

/// An error of the table on its way out, with headers that belong to it.
#[derive(Debug)]
pub struct HttpError {
    pub error: ApiError,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl HttpError {
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// An internal error: `cause` is logged and not shown.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        ApiError::new(ErrorCode::Internal).detail(cause).into()
    }
}

impl From<ErrorCode> for HttpError {
    fn from(code: ErrorCode) -> Self {
        ApiError::new(code).into()
    }
}

impl From<ApiError> for HttpError {
    fn from(error: ApiError) -> Self {
        Self { error, headers: Vec::new() }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.error.code.status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.error.params.get(RETRY_AFTER_S)
            && let Ok(seconds) = HeaderValue::from_str(seconds)
        {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response.headers_mut().extend(self.headers);
        response.extensions_mut().insert(self.error);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_where_the_server_s_data_lie() {
        let error = ApiError::new(ErrorCode::StorageFailed).with("path", "/srv/portico/files/27");
        let body = ErrorBody::new(error.detail("/srv/portico: read-only"), Lang::En, "/api/x");
        let said = serde_json::to_string(&body).unwrap();
        assert!(said.contains("Reading or writing files/27 failed."), "{said}");
        assert!(!said.contains("srv"), "{said}");
    }
}
