//! One file of the page as an answer.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::models::sha256::of_bytes;
use crate::weights::conditional::{self, Verdict};

/// A file's bytes as they go out.
#[derive(Clone, Debug)]
pub struct Asset {
    pub path: String,
    pub bytes: Bytes,
    pub is_brotli: bool,
    /// There is a compressed sibling, so caches must tell clients apart.
    pub varies: bool,
}

impl Asset {
    pub fn respond(self, method: &Method, request: &HeaderMap) -> Response {
        let etag = format!("\"{}\"", of_bytes(&self.bytes));
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache_control()));
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            headers.insert(header::ETAG, etag);
        }
        if self.varies {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if conditional::judge(request, &etag) == Verdict::NotModified {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        if self.is_brotli {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&self.path)));
        headers.insert(header::CONTENT_LENGTH, self.bytes.len().into());
        let body = if method == Method::HEAD { Body::empty() } else { Body::from(self.bytes) };
        (headers, body).into_response()
    }

    fn cache_control(&self) -> &'static str {
        match has_hash(&self.path) {
            true => "public, max-age=31536000, immutable",
            false => "no-cache",
        }
    }
}

/// Whether the path is named by its content: a folder that is a hash, or a hash between `-`, `_` and
/// `.` in the file's name. A hash is 8 or more hex digits, a decimal one among them so that no word
/// passes for one.
fn has_hash(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_hash = |part: &str| {
        part.len() >= 8
            && part.bytes().all(|byte| byte.is_ascii_hexdigit())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    };
    folders.split('/').any(is_hash) || name.split(['-', '_', '.']).skip(1).any(is_hash)
}

/// Whether the client takes Brotli. What it gives a weight of 0 it refuses.
pub fn accepts_brotli(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = values.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_brotli = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br"));
        let refused = parts
            .filter_map(|part| part.strip_prefix("q="))
            .any(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight == 0.0));
        is_brotli && !refused
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        for hashed in [
            "app-0a1b2c3d4e5f6071_bg.wasm",
            "style-deadbee1.css",
            "x/a-12345678.js",
            "assets/0a1b2c3d4e5f6071/app.js",
        ] {
            assert!(has_hash(hashed), "{hashed}");
        }
        for plain in
            ["index.html", "sw.js", "app.js", "12345678.js", "a-facade12.html.x", "x-deadbeef.js"]
        {
            assert_eq!(has_hash(plain), plain == "a-facade12.html.x", "{plain}");
        }
    }

    #[test]
    fn brotli_is_taken_and_refused() {
        let accepts = |value: &str| {
            let value = value.parse().unwrap();
            accepts_brotli(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]))
        };
        assert!(accepts("gzip, deflate, br, zstd"));
        assert!(accepts("br;q=0.5"));
        assert!(!accepts("br;q=0, gzip"));
        assert!(!accepts("gzip"));
        assert!(!accepts_brotli(&HeaderMap::new()));
    }
}
