//! Under which names may this server be addressed?
//!
//! A hostile site can let its own name resolve to this machine (DNS rebinding); the browser then
//! takes this server for that site and lets its scripts read every answer. Such a request carries
//! the hostile name in `Host`. An IP address or `localhost` there cannot be rebound, so these always
//! pass, whatever the port (a forwarded port changes it). Other names pass when `--public-url` named
//! them. A server that listens beyond this machine and was told no name takes any: it cannot know
//! what its house calls it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::{Uri, header, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use portico_shared::error::{ApiError, ErrorCode};

use crate::http_error::HttpError;

/// Which names in `Host` are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPolicy {
    Any,
    /// These (lower case, without port), IP addresses and `localhost`.
    Named(Vec<String>),
}

impl HostPolicy {
    pub fn new(bound: SocketAddr, public_url: Option<&Uri>) -> Self {
        let name = public_url.and_then(|url| url.host()).map(str::to_lowercase);
        match name {
            None if !bound.ip().is_loopback() => Self::Any,
            name => Self::Named(name.into_iter().collect()),
        }
    }

    fn allows(&self, authority: &str) -> bool {
        let Self::Named(names) = self else { return true };
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        let host = authority.host().to_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        let address = host.trim_start_matches('[').trim_end_matches(']');
        address.parse::<IpAddr>().is_ok()
            || host == "localhost"
            || host.ends_with(".localhost")
            || names.iter().any(|name| name == host)
    }
}

/// No `Host` at all passes: every browser sends one, and only a browser can be misled.
pub async fn check(State(policy): State<HostPolicy>, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or("?"));
    let authority = request.uri().authority().map(Authority::as_str);
    let refused = [header, authority].into_iter().flatten().find(|host| !policy.allows(host));
    if let Some(host) = refused {
        let error = ApiError::new(ErrorCode::HostRefused).with("host", host);
        return HttpError::from(error).into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(bound: &str, public_url: Option<&'static str>) -> HostPolicy {
        let public_url = public_url.map(Uri::from_static);
        HostPolicy::new(bound.parse().unwrap(), public_url.as_ref())
    }

    #[test]
    fn loopback_answers_to_itself_only() {
        let policy = policy("127.0.0.1:8080", None);
        for good in ["127.0.0.1:8080", "127.0.0.1", "localhost:9000", "LOCALHOST", "[::1]:8080"] {
            assert!(policy.allows(good), "{good}");
        }
        for bad in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil"]
        {
            assert!(!policy.allows(bad), "{bad}");
        }
        for broken in ["", "a b", "a/b"] {
            assert!(!policy.allows(broken), "{broken}");
        }
    }

    #[test]
    fn public_name_is_allowed_and_binding_everywhere_alone_asks_nothing() {
        let named = policy("0.0.0.0:80", Some("https://chat.example.org/"));
        assert!(named.allows("Chat.Example.org"));
        assert!(named.allows("chat.example.org.:443"));
        assert!(named.allows("192.168.1.5"));
        assert!(!named.allows("evil.example"));
        assert!(policy("0.0.0.0:80", None).allows("anything.example"));
        assert!(policy("[::1]:80", Some("http://chat.lan")).allows("chat.lan:8080"));
    }
}
