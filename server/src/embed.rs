//! How do other pages of the house use Portico? `/embed.js` is a module that they import; it puts
//! `/embed`, the page itself, into a hidden frame. Which origins may do so the administration says
//! (`[access] embed_origins`); to all others both are closed ([`Embedders`], by the guards).

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;

const MODULE: &str = include_str!("../../web/js/embed.js");
/// Where the module lies, and the frame that it opens (the page's own fallback serves it).
const MODULE_PATH: &str = "/embed.js";
const FRAME_PATH: &str = "/embed";

pub fn router() -> Router {
    let head = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Router::new().route(MODULE_PATH, get(move || async move { (head, MODULE).into_response() }))
}

/// The origins whose pages may embed the portal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embedders(Arc<[String]>);

impl Embedders {
    pub fn new(origins: &[String]) -> Self {
        Self(origins.into())
    }

    /// Opens the module and the frame to the origins that may embed; `origin` is who asks.
    pub fn open(&self, path: &str, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if self.0.is_empty() || ![MODULE_PATH, FRAME_PATH].contains(&path) {
            return;
        }
        let cross_origin = HeaderValue::from_static("cross-origin");
        headers.insert(HeaderName::from_static("cross-origin-resource-policy"), cross_origin);
        if path == FRAME_PATH {
            let closed = headers.get(header::CONTENT_SECURITY_POLICY);
            let closed = closed.and_then(|policy| policy.to_str().ok()).unwrap_or_default();
            let ancestors = format!("frame-ancestors {}", self.0.join(" "));
            let open = closed.replace("frame-ancestors 'none'", &ancestors);
            if let Ok(open) = HeaderValue::from_str(&open) {
                headers.insert(header::CONTENT_SECURITY_POLICY, open);
                headers.remove(header::X_FRAME_OPTIONS);
            }
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let known = origin
            .filter(|origin| self.0.iter().any(|known| known.as_bytes() == origin.as_bytes()));
        if let Some(origin) = known {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
    }
}

/// An origin as browsers spell it: `https://intranet.example.org`, with a port where it is no usual one.
pub fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let host = rest.strip_prefix('[').map_or(rest, |v6| v6);
    matches!(scheme, "http" | "https")
        && !host.is_empty()
        && rest.bytes().all(|b| {
            b.is_ascii_digit()
                || b.is_ascii_lowercase()
                || matches!(b, b'.' | b'-' | b':' | b'[' | b']')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::CONTENT_SECURITY_POLICY;

    fn closed() -> HeaderMap {
        let mut headers = HeaderMap::new();
        let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers
    }

    #[test]
    fn only_named_origins_may_embed() {
        let embedders = Embedders::new(&["https://in.example".to_owned()]);
        let origin = |text| HeaderValue::from_static(text);
        let allowed = |asks: &str| {
            let mut headers = closed();
            embedders.open("/embed.js", HeaderValue::from_str(asks).ok().as_ref(), &mut headers);
            headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned()
        };
        assert_eq!(allowed("https://in.example"), Some(origin("https://in.example")));
        assert_eq!(allowed("https://in.example.evil"), None);
        let mut headers = closed();
        embedders.open("/embed", None, &mut headers);
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap_or_default();
        assert!(policy.contains("frame-ancestors https://in.example"), "{policy}");
        assert!(!headers.contains_key(header::X_FRAME_OPTIONS));
    }

    #[test]
    fn everything_else_stays_closed() {
        let embedders = Embedders::new(&["https://in.example".to_owned()]);
        for (embedders, path) in
            [(&embedders, "/"), (&embedders, "/embed/x"), (&Embedders::default(), "/embed")]
        {
            let mut headers = closed();
            embedders.open(path, None, &mut headers);
            assert_eq!(headers, closed(), "{path}");
        }
    }

    #[test]
    fn an_origin_has_no_path_and_no_star() {
        for good in ["https://in.example", "http://127.0.0.1:8081", "http://[::1]:1"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "*",
            "https://*",
            "https://in.example/",
            "in.example",
            "https://",
            "ftp://x",
            "https://a;script-src x",
            "https://a https://b",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
