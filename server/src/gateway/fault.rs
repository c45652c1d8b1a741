//! How does a request end that gets no answer?

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode};

use crate::http_error::{AsIs, HttpError};
use crate::upstream::Refusal;

/// An error of ours, or an upstream's own words.
#[derive(Debug)]
pub enum Fault {
    Ours(ApiError),
    Theirs(Refusal),
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self::Ours(error)
    }
}

impl From<ErrorCode> for Fault {
    fn from(code: ErrorCode) -> Self {
        Self::Ours(ApiError::new(code))
    }
}

impl Fault {
    /// For counting.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ours(error) => error.code.as_str(),
            Self::Theirs(_) => "upstream_refused",
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        match self {
            Self::Ours(error) => HttpError::from(error).into_response(),
            Self::Theirs(refusal) => {
                let json = HeaderValue::from_static("application/json");
                let head = [(header::CONTENT_TYPE, json)];
                let mut response = (refusal.status, head, refusal.body).into_response();
                if let Some(retry_after) = refusal.retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, retry_after);
                }
                response.extensions_mut().insert(AsIs);
                response
            }
        }
    }
}
