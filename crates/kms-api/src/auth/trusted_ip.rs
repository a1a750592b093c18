//! Trusted IPs: addresses or networks that a credential may be used from.

use serde::{Deserialize, Serialize};

/// A trusted IP as it is sent: an address or a network in CIDR notation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TrustedIpInput {
    /// `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`.
    pub ip_address: String,
}

/// A trusted IP as it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TrustedIp {
    /// The address without its prefix.
    pub ip_address: String,
    /// `ipv4` or `ipv6`.
    pub r#type: String,
    /// The length of the network's prefix in bits; absent for a single address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<u8>,
}
