//! Trusted IPs: from where a credential may be used.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use kms_api::auth::trusted_ip::{TrustedIp, TrustedIpInput};

use crate::{Error, Result};

/// Addresses and networks, parsed.
#[derive(Clone, Debug)]
pub(crate) struct TrustedIps {
    wire: Vec<TrustedIp>,
    networks: Vec<IpNet>,
}

impl Default for TrustedIps {
    /// Everywhere.
    fn default() -> Self {
        let networks = vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())];
        let wire = networks.iter().map(|network| TrustedIp {
            ip_address: network.addr().to_string(),
            r#type: family(network.addr()).into(),
            prefix: Some(network.prefix_len()),
        });
        Self { wire: wire.collect(), networks }
    }
}

impl TrustedIps {
    /// Reads what a client sent in a field.
    pub(crate) fn parse(field: &str, given: &[TrustedIpInput]) -> Result<Self> {
        if given.is_empty() {
            return Err(Error::field(field, "needs at least one address or network"));
        }
        let wire = given.iter().map(|input| parse(input.ip_address.trim())).collect();
        let parsed: Option<Vec<TrustedIp>> = wire;
        parsed.and_then(Self::of).ok_or_else(|| {
            Error::field(field, "must be IPv4 or IPv6 addresses, or networks in CIDR notation")
        })
    }

    /// Reads what is stored.
    pub(crate) fn from_json(text: &str) -> Result<Self> {
        let wire = serde_json::from_str(text).map_err(|error| Error::Internal(Box::new(error)))?;
        Self::from_wire(wire)
    }

    /// Reads what is stored as a part of something else.
    pub(crate) fn from_wire(wire: Vec<TrustedIp>) -> Result<Self> {
        Self::of(wire).ok_or_else(|| Error::Internal("stored trusted IPs are not valid".into()))
    }

    /// What is stored.
    pub(crate) fn to_json(&self) -> Result<String> {
        serde_json::to_string(&self.wire).map_err(|error| Error::Internal(Box::new(error)))
    }

    /// What is answered.
    pub(crate) fn wire(&self) -> Vec<TrustedIp> {
        self.wire.clone()
    }

    /// Whether every address is trusted, which is when all entries say so (wire contract, trusted
    /// IPs).
    pub(crate) fn is_everywhere(&self) -> bool {
        self.networks.iter().all(|network| network.prefix_len() == 0)
    }

    /// Refuses an address that is not trusted.
    pub(crate) fn check(&self, ip: Option<IpAddr>) -> Result<()> {
        let ip = ip.map(|ip| ip.to_canonical());
        let trusted = |ip: IpAddr| self.networks.iter().any(|network| network.contains(&ip));
        if self.is_everywhere() || ip.is_some_and(trusted) {
            return Ok(());
        }
        Err(Error::unauthorized("Failed to authenticate"))
    }

    fn of(wire: Vec<TrustedIp>) -> Option<Self> {
        if wire.is_empty() {
            return None;
        }
        let networks = wire.iter().map(|entry| {
            let ip: IpAddr = entry.ip_address.parse().ok()?;
            let whole = if ip.is_ipv4() { 32 } else { 128 };
            IpNet::new(ip, entry.prefix.unwrap_or(whole)).ok()
        });
        Some(Self { networks: networks.collect::<Option<_>>()?, wire })
    }
}

fn parse(text: &str) -> Option<TrustedIp> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse().ok()?)),
        None => (text, None),
    };
    let ip: IpAddr = address.parse().ok()?;
    // A request's address is compared in its IPv4 form, so an entry in the other never matched.
    if ip.to_canonical() != ip {
        return None;
    }
    Some(TrustedIp { ip_address: ip.to_string(), r#type: family(ip).into(), prefix })
}

fn family(ip: IpAddr) -> &'static str {
    if ip.is_ipv4() { "ipv4" } else { "ipv6" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(given: &[&str]) -> Result<TrustedIps> {
        let inputs: Vec<_> =
            given.iter().map(|ip| TrustedIpInput { ip_address: (*ip).into() }).collect();
        TrustedIps::parse("field", &inputs)
    }

    fn trusts(ips: &TrustedIps, ip: &str) -> bool {
        ips.check(Some(ip.parse().unwrap())).is_ok()
    }

    #[test]
    fn addresses_and_networks_of_both_families_stand_in_one_list() {
        let ips = ips(&["192.0.2.7", "10.1.0.0/16", "2001:db8::/32"]).unwrap();
        assert!(trusts(&ips, "192.0.2.7") && trusts(&ips, "10.1.255.1"));
        assert!(trusts(&ips, "2001:db8:1::1") && trusts(&ips, "::ffff:192.0.2.7"));
        assert!(!trusts(&ips, "192.0.2.8") && !trusts(&ips, "10.2.0.1") && !trusts(&ips, "::1"));
        assert!(ips.check(None).is_err(), "an unknown address is not trusted");
        let stored = TrustedIps::from_json(&ips.to_json().unwrap()).unwrap();
        assert_eq!(stored.wire(), ips.wire());
    }

    #[test]
    fn everywhere_trusts_an_unknown_address_too() {
        assert!(TrustedIps::default().check(None).is_ok());
        assert_eq!(TrustedIps::default().wire(), ips(&["0.0.0.0/0", "::/0"]).unwrap().wire());
        assert!(ips(&["0.0.0.0/0", "::/0"]).unwrap().check(None).is_ok());
        assert!(ips(&["0.0.0.0/0"]).unwrap().check(None).is_ok());
        assert!(ips(&["0.0.0.0/0", "192.0.2.1"]).unwrap().check(None).is_err());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for given in ["", "x", "1.2.3", "1.2.3.4/33", "::/129", "1.2.3.4/", "::ffff:1.2.3.4/96"] {
            assert!(ips(&[given]).is_err(), "{given}");
        }
        assert!(ips(&[]).is_err());
    }
}
