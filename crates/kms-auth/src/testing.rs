//! What this crate's tests call with, and whom: see `kms-standins`.

mod dice;

use std::net::IpAddr;

pub(crate) use dice::Dice;
pub(crate) use kms_standins::{Authority, NOW, Peer, Signer, changed, json, status, unsigned};

use crate::outbound::{Allow, Limits, Outbound, OutboundPolicy, SystemResolver};

/// Calls within a policy that allows loopback, with little patience.
pub(crate) fn loopback() -> Outbound {
    Outbound::with(loopback_policy(), SystemResolver, quick())
}

/// Allows loopback.
pub(crate) fn loopback_policy() -> OutboundPolicy {
    let allow = ["127.0.0.0/8", "::1"].map(|net| net.parse::<Allow>().unwrap());
    OutboundPolicy { allow: allow.to_vec(), own_listeners: Vec::new() }
}

/// Half a second, 64 KiB.
pub(crate) fn quick() -> Limits {
    let total = std::time::Duration::from_millis(500);
    Limits { total, body: 1 << 16, ..Limits::default() }
}

/// An address for resolvers of tests.
pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
