//! Where a request came from (attack T9): forwarding headers count only when a trusted proxy
//! sent them, and then only up to the first hop that is not one.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Headers by which a proxy shows that there is one.
const FORWARDING: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress {
    /// The client, or nothing when a trusted proxy tells an address that is none.
    pub(crate) ip: Option<IpAddr>,
    /// Who connected to us.
    peer: IpAddr,
    /// Whether a proxy shows itself, trusted or not.
    forwarded: bool,
}

impl ClientAddress {
    /// Reads it from a connection and its request.
    pub(crate) fn of(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = peer.ip().to_canonical();
        let forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
        Self { ip: client(peer, headers, trusted), peer, forwarded }
    }

    /// Whether the client runs on this machine and no proxy is between us.
    pub(crate) fn is_local(&self) -> bool {
        self.peer.is_loopback() && !self.forwarded
    }

    /// What rate limits count by: one host, or the network that one IPv6 customer is given.
    pub(crate) fn group(&self) -> IpAddr {
        match self.ip.unwrap_or(self.peer) {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        }
    }
}

fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip));
    if !is_trusted(peer) {
        return Some(peer);
    }
    let mut client = peer;
    // Proxies append, so the hops nearest to us stand last, over all headers of the name.
    for value in headers.get_all(FORWARDED_FOR).iter().rev() {
        for hop in value.to_str().ok()?.rsplit(',') {
            client = address(hop.trim())?;
            if !is_trusted(client) {
                return Some(client);
            }
        }
    }
    Some(client)
}

/// An address as proxies write it: alone or with a port, IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse().or_else(|_| text.parse().map(|address: SocketAddr| address.ip()));
    Some(ip.ok()?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(peer: &str, hops: &[&str], trusted: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for hop in hops {
            headers.append(FORWARDED_FOR, hop.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let found = ClientAddress::of(peer.parse().unwrap(), &headers, &trusted);
        found.ip.map(|ip| ip.to_string())
    }

    #[test]
    fn t9_forwarding_headers_count_only_from_trusted_proxies() {
        let proxies = ["10.0.0.0/8", "2001:db8::/32"];
        for (peer, hops, trusted, expected) in [
            ("192.0.2.9:1", &["203.0.113.5"][..], &[][..], "192.0.2.9"),
            ("192.0.2.9:1", &["203.0.113.5"], &proxies, "192.0.2.9"),
            ("10.0.0.1:1", &["203.0.113.5"], &proxies, "203.0.113.5"),
            ("10.0.0.1:1", &["10.9.9.9, 203.0.113.5"], &proxies, "203.0.113.5"),
            ("10.0.0.1:1", &["1.1.1.1", "203.0.113.5"], &proxies, "203.0.113.5"),
            ("10.0.0.1:1", &["203.0.113.5, 10.0.0.7"], &proxies, "203.0.113.5"),
            ("10.0.0.1:1", &["203.0.113.5", "10.0.0.7,10.0.0.8"], &proxies, "203.0.113.5"),
            ("10.0.0.1:1", &[], &proxies, "10.0.0.1"),
            ("10.0.0.1:1", &["10.0.0.7"], &proxies, "10.0.0.7"),
            ("10.0.0.1:1", &["203.0.113.5:4711"], &proxies, "203.0.113.5"),
            ("[2001:db8::1]:1", &["[2001:db9::5]:4711"], &proxies, "2001:db9::5"),
            ("[2001:db8::1]:1", &["[2001:db9::5]"], &proxies, "2001:db9::5"),
        ] {
            let found = ip(peer, hops, trusted);
            assert_eq!(found.as_deref(), Some(expected), "{peer} {hops:?} {trusted:?}");
        }
    }

    #[test]
    fn t9_ipv6_mapped_addresses_are_the_ipv4_addresses_they_are() {
        assert_eq!(ip("[::ffff:192.0.2.9]:1", &[], &[]).unwrap(), "192.0.2.9");
        let proxies = ["10.0.0.0/8"];
        assert_eq!(ip("[::ffff:10.0.0.1]:1", &["192.0.2.9"], &proxies).unwrap(), "192.0.2.9");
        assert_eq!(ip("10.0.0.1:1", &["::ffff:192.0.2.9"], &proxies).unwrap(), "192.0.2.9");
        assert_eq!(ip("10.0.0.1:1", &["::ffff:10.0.0.2"], &proxies).unwrap(), "10.0.0.2");
    }

    #[test]
    fn t9_a_hop_that_is_no_address_is_nobody() {
        for hop in ["unknown", "", "_hidden", "300.1.1.1", "203.0.113.5, ", "203.0.113.5, x"] {
            assert_eq!(ip("10.0.0.1:1", &[hop], &["10.0.0.0/8"]), None, "{hop}");
        }
    }

    #[test]
    fn only_a_loopback_peer_without_a_proxy_is_local() {
        let local = |peer: &str, headers: &HeaderMap| {
            ClientAddress::of(peer.parse().unwrap(), headers, &[]).is_local()
        };
        let none = HeaderMap::new();
        assert!(local("127.0.0.1:1", &none));
        assert!(local("[::1]:1", &none));
        assert!(local("[::ffff:127.0.0.1]:1", &none));
        assert!(!local("192.0.2.1:1", &none));
        for name in FORWARDING {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), "x".parse().unwrap())]);
            assert!(!local("127.0.0.1:1", &headers), "{name}");
        }
    }
}
