//! What an operator lets logins call beside the public internet.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    str::FromStr,
};

use ipnet::IpNet;
use url::Host;

use super::{
    address::{Class, canonical, class},
    error::Reason,
};

/// One `--outbound-allow`: a network that may be called, or a name whose addresses may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Addresses, whatever name they are reached by.
    Net(IpNet),
    /// A host by its name, whatever its addresses.
    Host(String),
}

/// What is neither an address, a network nor a name.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is neither a host name, an IP address nor a network such as `10.0.0.0/8`")]
pub struct InvalidAllow(String);

impl FromStr for Allow {
    type Err = InvalidAllow;

    fn from_str(text: &str) -> Result<Self, InvalidAllow> {
        let invalid = || InvalidAllow(text.to_owned());
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Ok(Self::Net(canonical(ip).into()));
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Self::Net(net.trunc()));
        }
        match Host::parse(text).map_err(|_| invalid())? {
            Host::Domain(name) if is_name(&name) => Ok(Self::Host(name)),
            _ => Err(invalid()),
        }
    }
}

/// Whether it is one name: patterns are not, nor is an absolute name, which no URL may hold.
fn is_name(text: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.chars().all(letters) && !text.ends_with('.')
}

/// What outbound calls may reach.
///
/// The default is the public internet by `https`. What is allowed in addition may be private and
/// may be called by `http`. Metadata services and this server's own listeners stay out of reach.
#[derive(Clone, Debug, Default)]
pub struct OutboundPolicy {
    /// What the operator allows in addition.
    pub allow: Vec<Allow>,
    /// Where this server and what belongs to it listens (metrics, database): never called.
    pub own_listeners: Vec<SocketAddr>,
}

impl OutboundPolicy {
    /// Whether the operator named this host, or this address as the host of a URL.
    pub(super) fn names(&self, host: &Host<&str>) -> bool {
        match host {
            Host::Domain(name) => self
                .allow
                .iter()
                .any(|allow| matches!(allow, Allow::Host(host) if host.as_str() == *name)),
            Host::Ipv4(ip) => self.holds(canonical(IpAddr::V4(*ip))),
            Host::Ipv6(ip) => self.holds(canonical(IpAddr::V6(*ip))),
        }
    }

    /// Whether a network that the operator named holds the canonical address.
    pub(super) fn holds(&self, ip: IpAddr) -> bool {
        self.allow.iter().any(|allow| matches!(allow, Allow::Net(net) if net.contains(&ip)))
    }

    /// Whether the operator named each of these addresses' networks.
    pub(super) fn hold_all(&self, addresses: &[SocketAddr]) -> bool {
        addresses.iter().all(|address| self.holds(canonical(address.ip())))
    }

    /// Whether the operator named any network.
    pub(super) fn has_networks(&self) -> bool {
        self.allow.iter().any(|allow| matches!(allow, Allow::Net(_)))
    }

    /// Judges an address that a host has; `named` when the operator named the host.
    pub(super) fn admit(&self, address: SocketAddr, named: bool) -> Result<(), Reason> {
        let ip = canonical(address.ip());
        if self.own_listeners.iter().any(|own| is_own(*own, ip, address.port())) {
            return Err(Reason::OwnListener);
        }
        match class(ip) {
            Class::Never => Err(Reason::Forbidden(ip)),
            Class::Private if !named && !self.holds(ip) => Err(Reason::Private(ip)),
            Class::Private | Class::Public => Ok(()),
        }
    }
}

/// Whether a connection to the address would reach the listener.
fn is_own(listener: SocketAddr, ip: IpAddr, port: u16) -> bool {
    let listens_at = canonical(listener.ip());
    port == listener.port()
        && (listens_at == ip || (listens_at.is_unspecified() && is_this_machine(ip)))
}

/// Whether the address is one of this machine's: only those can be bound.
fn is_this_machine(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_ok()
}

/// Whether an address belongs to somebody's own network.
pub(super) fn is_private(ip: IpAddr) -> bool {
    class(canonical(ip)) != Class::Public
}
