//! Which addresses may a crawl connect to?
//!
//! A name is resolved once, what may not be reached is taken out, and the connection goes to what is
//! left: a name that resolves otherwise a moment later changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Resolves names to public addresses only, unless others are allowed.
#[derive(Debug, Default)]
pub struct CheckedResolver {
    inner: DefaultResolver,
    allows_private: bool,
}

impl CheckedResolver {
    pub fn new(allows_private: bool) -> Self {
        Self { inner: DefaultResolver::default(), allows_private }
    }
}

impl Resolver for CheckedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let resolved = self.inner.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for addr in resolved.iter() {
            if self.allows_private || is_public(addr.ip()) {
                allowed.push(*addr);
            }
        }
        match allowed.is_empty() {
            true => Err(Error::HostNotFound),
            false => Ok(allowed),
        }
    }
}

/// Whether an address is one of the open internet's: not this machine, no private or link-local
/// network, no metadata service, nothing reserved.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_reserved = a == 0
        || a >= 240
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        // Shared by carriers, protocol assignments, benchmarks, 6to4 relays.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 192 && b == 88 && c == 99);
    !is_reserved
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    // Of all that there is, 2000::/3 is the internet; some of it leads elsewhere.
    let is_global = segments[0] & 0xe000 == 0x2000;
    let is_documentation = segments[0] == 0x2001 && segments[1] == 0x0db8;
    let is_protocol = segments[0] == 0x2001 && segments[1] < 0x0200;
    // 6to4 carries an address of the older kind.
    let carried = (segments[0] == 0x2002).then(|| {
        let [a, b] = segments[1].to_be_bytes();
        let [c, d] = segments[2].to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    });
    is_global && !is_documentation && !is_protocol && carried.is_none_or(is_public_v4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_open_internet_is_public() {
        let is_public = |text: &str| is_public(text.parse().unwrap());
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fd00::1",
            "fc00::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "64:ff9b::7f00:1",
            "2001::1",
        ] {
            assert!(!is_public(private), "{private}");
        }
        for public in ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "2a00:1450:4001::1"] {
            assert!(is_public(public), "{public}");
        }
    }
}
