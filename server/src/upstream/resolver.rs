//! To which addresses may a connection go? A name is resolved once, what may not be reached is taken out, and
//! the connection goes to what is left: a name that resolves otherwise a moment later changes nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http::Uri;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

use crate::documents::is_public;

/// Where requests may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reachable {
    /// Wherever whoever wrote the configuration says.
    #[default]
    All,
    /// The open internet: not this machine, no private network.
    Public,
}

/// The machine's names, less what may not be reached.
#[derive(Clone, Debug)]
pub struct Resolver {
    inner: GaiResolver,
    reachable: Reachable,
}

impl Resolver {
    pub fn new(reachable: Reachable) -> Self {
        Self { inner: GaiResolver::new(), reachable }
    }
}

type Resolved = Pin<Box<dyn Future<Output = io::Result<std::vec::IntoIter<SocketAddr>>> + Send>>;

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Resolved;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Resolved {
        let (resolving, reachable) = (self.inner.call(name), self.reachable);
        Box::pin(async move {
            let found: Vec<SocketAddr> = resolving.await?.collect();
            let (allowed, n_found) = (allowed(reachable, &found), found.len());
            match allowed.is_empty() && n_found > 0 {
                true => Err(io::Error::other("it lies in a private network")),
                false => Ok(allowed.into_iter()),
            }
        })
    }
}

fn allowed(reachable: Reachable, found: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_allowed = |addr: &&SocketAddr| reachable == Reachable::All || is_public(addr.ip());
    found.iter().filter(is_allowed).copied().collect()
}

/// An address's own number, which no resolver is asked about.
pub fn literal(url: &Uri) -> Option<IpAddr> {
    let host = url.host()?.trim_start_matches('[').trim_end_matches(']');
    host.parse().ok()
}

/// Whether an address may be asked, as far as it can be told now: by its number, else by what its name
/// resolves to. A name that is not known yet is told when it is asked for.
pub async fn may_reach(url: &Uri, reachable: Reachable) -> bool {
    if reachable == Reachable::All {
        return true;
    }
    if let Some(ip) = literal(url) {
        return is_public(ip);
    }
    let port = url.port_u16().unwrap_or(443);
    let Some(host) = url.host() else { return false };
    match tokio::net::lookup_host((host, port)).await {
        Ok(found) => {
            let found: Vec<SocketAddr> = found.collect();
            found.is_empty() || !allowed(reachable, &found).is_empty()
        }
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn private_addresses_are_not_reached_by_number_or_by_name() {
        for (url, is_there) in [
            ("http://127.0.0.1:8080/mcp", false),
            ("http://[::1]/mcp", false),
            ("http://[::ffff:10.0.0.1]/mcp", false),
            ("http://169.254.169.254/latest", false),
            ("http://localhost:9/mcp", false),
            ("https://93.184.215.14/mcp", true),
        ] {
            let url: Uri = url.parse().unwrap();
            assert_eq!(may_reach(&url, Reachable::Public).await, is_there, "{url}");
            assert!(may_reach(&url, Reachable::All).await, "{url}");
        }
        // What a name says a moment later is asked by the connection itself.
        let name: Name = "localhost".parse().unwrap();
        let refused = Resolver::new(Reachable::Public).call(name.clone()).await;
        assert!(refused.unwrap_err().to_string().contains("private"));
        assert!(Resolver::new(Reachable::All).call(name).await.unwrap().next().is_some());
    }
}
