//! How does a file leave the house, so that nobody's browser may run it?
//!
//! Whatever it is called, it comes as a download, in a sandbox. Only plain text is shown where that is
//! asked for: what a file holds must not act as this page, and browsers show no PDF in a sandbox (the
//! page shows it by itself, from the bytes).

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode};

use super::FileStore;
use crate::guard::OwnPolicy;
use crate::http_error::HttpError;
use crate::weights::conditional::{Verdict, judge, range_counts};
use crate::weights::{Asked, asked};

/// No origin, no scripts, no network.
const SANDBOX: &str = "sandbox; default-src 'none'; frame-ancestors 'self'";

/// A file as somebody asks for it who may have it.
#[derive(Clone, Copy, Debug)]
pub struct Inert<'a> {
    pub sha256: &'a str,
    pub name: &'a str,
    /// Of what it is made, as far as that is known.
    pub media_type: &'a str,
    /// Shown, if it can be shown without harm.
    pub inline: bool,
}

impl FileStore {
    /// The file, or the part of it that a request asks for.
    ///
    /// # Errors
    /// `storage_failed`, `files_unreachable`, `precondition_failed`, `range_not_satisfiable`.
    pub async fn answer(
        &self,
        file: Inert<'_>,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Response, HttpError> {
        let size_bytes = self.size_bytes(file.sha256).await?;
        let etag = format!("\"{}\"", file.sha256);
        let mut head = HeaderMap::new();
        head.insert(header::ETAG, value(&etag)?);
        // Who may read it may change; the browser's copy is asked about each time.
        head.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        match judge(headers, &etag) {
            Verdict::Failed => return Err(ErrorCode::PreconditionFailed.into()),
            Verdict::NotModified => return Ok((StatusCode::NOT_MODIFIED, head).into_response()),
            Verdict::Proceed => {}
        }
        let range = headers.get(header::RANGE).filter(|_| range_counts(headers, &etag));
        let (status, start, end) = match asked(range.and_then(|r| r.to_str().ok()), size_bytes) {
            Asked::Whole => (StatusCode::OK, 0, size_bytes),
            Asked::Part { start, end } => {
                let part = format!("bytes {start}-{}/{size_bytes}", end - 1);
                head.insert(header::CONTENT_RANGE, value(&part)?);
                (StatusCode::PARTIAL_CONTENT, start, end)
            }
            Asked::Unsatisfiable => {
                let size = value(&format!("bytes */{size_bytes}"))?;
                let error = HttpError::from(ErrorCode::RangeNotSatisfiable);
                return Err(error.with_header(header::CONTENT_RANGE, size));
            }
        };
        let shown = file.inline.then(|| shown_as(file.media_type)).flatten();
        let media_type = shown.unwrap_or("application/octet-stream");
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        head.insert(header::CONTENT_DISPOSITION, disposition(shown.is_some(), file.name)?);
        head.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        head.insert(header::CONTENT_LENGTH, (end - start).into());
        head.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
        head.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        let body = match *method {
            Method::HEAD => Body::empty(),
            _ => Body::from_stream(self.read(file.sha256, start..end).await?),
        };
        let mut response = (status, head, body).into_response();
        response.extensions_mut().insert(OwnPolicy);
        Ok(response)
    }
}

/// The type under which a browser may show it; none: it is only downloaded.
fn shown_as(media_type: &str) -> Option<&'static str> {
    match media_type {
        // Of text only its letters, whatever markup it is.
        "text/plain" | "text/markdown" | "text/csv" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

/// RFC 6266: a name in ASCII for old clients, and the name itself.
fn disposition(is_shown: bool, name: &str) -> Result<HeaderValue, ApiError> {
    let kind = if is_shown { "inline" } else { "attachment" };
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ';
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    value(&format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"))
}

fn value(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(text).map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_header() {
        let header = disposition(false, "a\"; x=\"b\r\nSet-Cookie: c ü.pdf").unwrap();
        let text = header.to_str().unwrap();
        assert!(
            text.starts_with("attachment; filename=\"a_; x=_b__Set-Cookie: c _.pdf\";"),
            "{text}"
        );
        assert!(
            text.ends_with(
                "filename*=UTF-8''a%22%3B%20x%3D%22b%0D%0ASet-Cookie%3A%20c%20%C3%BC.pdf"
            )
        );
    }

    #[test]
    fn only_text_is_shown() {
        for hidden in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "application/pdf",
            "message/rfc822",
            "",
        ] {
            assert_eq!(shown_as(hidden), None);
        }
        for text in ["text/plain", "text/markdown", "text/csv"] {
            assert_eq!(shown_as(text), Some("text/plain; charset=utf-8"));
        }
    }
}
