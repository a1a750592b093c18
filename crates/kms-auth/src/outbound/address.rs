//! Which addresses are the public internet, and which are never called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is to a server that calls out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Anybody's.
    Public,
    /// Somebody's own network: only where the operator says so.
    Private,
    /// Nothing that a login could be verified against: not even where the operator says so.
    Never,
}

/// Credentials for whoever asks from this machine: the metadata services of AWS (also for
/// containers), Google, Azure, Oracle and Alibaba.
const METADATA: [IpAddr; 9] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// The address that a packet would go to: IPv4 in one of the forms that IPv6 has for it is IPv4.
pub(super) fn canonical(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    // NAT64's well-known prefix (RFC 6052), which resolvers of IPv6-only networks answer with.
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => ip,
    }
}

/// Judges a canonical address.
pub(super) fn class(ip: IpAddr) -> Class {
    if METADATA.contains(&ip) {
        return Class::Never;
    }
    match ip {
        IpAddr::V4(v4) => class_v4(v4),
        IpAddr::V6(v6) => class_v6(v6),
    }
}

/// The special-purpose registry of IPv4 (RFC 6890 and its updates).
fn class_v4(ip: Ipv4Addr) -> Class {
    match ip.octets() {
        // This network, multicast, reserved and broadcast.
        [0 | 224..=255, ..] => Class::Never,
        // RFC 1918, loopback, link-local, shared address space, protocol assignments,
        // documentation, 6to4 relays, benchmarking.
        [10 | 127, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        | [169, 254, ..]
        | [100, 64..=127, ..]
        | [192, 0, 0 | 2, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..] => Class::Private,
        _ => Class::Public,
    }
}

/// Of IPv6 only global unicast (`2000::/3`) is public, less its own special purposes.
fn class_v6(ip: Ipv6Addr) -> Class {
    match ip.segments() {
        // Unspecified and multicast.
        [0, 0, 0, 0, 0, 0, 0, 0] | [0xff00..=0xffff, ..] => Class::Never,
        // Protocol assignments with Teredo, ORCHID and benchmarking; documentation; 6to4.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] | [0x2002, ..] => Class::Private,
        [0x2000..=0x3fff, ..] => Class::Public,
        _ => Class::Private,
    }
}
