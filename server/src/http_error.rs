//! How does an error leave over HTTP?
//!
//! A handler returns [`HttpError`]; it rides in the response's extensions until
//! [`crate::guard`] writes the body, in the language of the request, and logs what is the server's
//! own fault once.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode};

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
        response.headers_mut().extend(self.headers);
        response.extensions_mut().insert(self.error);
        response
    }
}
