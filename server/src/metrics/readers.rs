//! Who may read the metrics?

use std::net::SocketAddr;

use axum::http::HeaderMap;

/// In a request's extensions: the other end of its connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Headers by which a proxy says for whom it asks.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Whether a program on this machine asks, and for itself.
pub fn is_local(peer: Option<&Peer>, headers: &HeaderMap) -> bool {
    let is_loopback = peer.is_some_and(|Peer(addr)| addr.ip().to_canonical().is_loopback());
    is_loopback && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_on_this_machine_asks_for_others() {
        let peer = |text: &str| Peer(text.parse().unwrap());
        let mut headers = HeaderMap::new();
        assert!(is_local(Some(&peer("127.0.0.1:5")), &headers));
        assert!(is_local(Some(&peer("[::ffff:127.0.0.1]:5")), &headers));
        assert!(!is_local(Some(&peer("192.168.1.5:5")), &headers));
        assert!(!is_local(None, &headers));
        headers.insert("x-forwarded-for", "10.0.0.1".parse().unwrap());
        assert!(!is_local(Some(&peer("127.0.0.1:5")), &headers));
    }
}
