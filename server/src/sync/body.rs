//! How do lines go over the wire? Compressed by gzip where the other side can.

use std::io::{Read as _, Write as _};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::{LINES, PUSH_MAX_BYTES};

/// What compressing does not make smaller by much.
const PLAIN_MAX_BYTES: usize = 1_000;

/// A push's lines.
///
/// # Errors
/// `payload_too_large` where they are too many once inflated, `invalid_request` where they cannot be.
pub async fn lines(headers: &HeaderMap, body: Bytes) -> Result<Vec<u8>, ApiError> {
    let invalid = |reason: &str| ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
    let is_packed = match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => false,
        Some(b"gzip") => true,
        Some(_) => return Err(invalid("the only content encoding is gzip")),
    };
    if !is_packed {
        return Ok(body.into());
    }
    let inflated = tokio::task::spawn_blocking(move || {
        let mut lines = Vec::new();
        let limit = PUSH_MAX_BYTES as u64 + 1;
        MultiGzDecoder::new(&body[..]).take(limit).read_to_end(&mut lines).map(|_| lines)
    });
    let inflated = inflated.await.map_err(super::internal)?;
    let lines = inflated.map_err(|error| invalid(&error.to_string()))?;
    match lines.len() > PUSH_MAX_BYTES {
        true => Err(ApiError::new(ErrorCode::PayloadTooLarge).with("max_bytes", PUSH_MAX_BYTES)),
        false => Ok(lines),
    }
}

/// The response that carries lines.
pub async fn response(headers: &HeaderMap, lines: Vec<u8>) -> Result<Response, ApiError> {
    let is_packed = lines.len() > PLAIN_MAX_BYTES && accepts_gzip(headers);
    let body = match is_packed {
        false => lines,
        true => {
            let packed = tokio::task::spawn_blocking(move || {
                let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
                packed.write_all(&lines).and_then(|()| packed.finish())
            });
            packed.await.map_err(super::internal)?.map_err(super::internal)?
        }
    };
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(LINES)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    let mut response = (head, body).into_response();
    if is_packed {
        let gzip = HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    }
    Ok(response)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = accepted.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        [(name, HeaderValue::from_static(value))].into_iter().collect()
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        let accepts = |value| accepts_gzip(&headers(header::ACCEPT_ENCODING, value));
        assert!(accepts("gzip, deflate, br") && accepts("br;q=1.0, GZIP;q=0.5"));
        assert!(!accepts("br") && !accepts("gzip;q=0, br") && !accepts_gzip(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_bomb_is_refused_and_lines_come_back() {
        let pack = |bytes: &[u8]| {
            let mut packed = GzEncoder::new(Vec::new(), Compression::best());
            packed.write_all(bytes).unwrap();
            Bytes::from(packed.finish().unwrap())
        };
        let gzip = headers(header::CONTENT_ENCODING, "gzip");
        assert_eq!(lines(&gzip, pack(b"{}\n")).await.unwrap(), b"{}\n");
        let bomb = pack(&vec![b' '; PUSH_MAX_BYTES + 1]);
        assert!(bomb.len() < 100_000);
        assert_eq!(lines(&gzip, bomb).await.unwrap_err().code, ErrorCode::PayloadTooLarge);
        let broken = lines(&gzip, Bytes::from_static(b"no gzip")).await.unwrap_err();
        assert_eq!(broken.code, ErrorCode::InvalidRequest);
        let other = headers(header::CONTENT_ENCODING, "br");
        assert!(lines(&other, Bytes::new()).await.is_err());
    }
}
