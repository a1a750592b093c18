//! `GET /api/status`: is the server there.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The header in which a server like ours tells its version with every answer. A compatible server
/// has none, so its numbers are never taken for ours.
pub const VERSION_HEADER: &str = "x-kms-version";

/// The answer of a server that is ready.
#[expect(clippy::struct_excessive_bools, reason = "the contract's body")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The server's clock.
    pub date: Timestamp,
    /// Exactly `Ok`; the Kubernetes operator compares it.
    pub message: String,
    /// Whether the server can send mail.
    pub email_configured: bool,
    /// Whether only invited people may sign up.
    pub invite_only_signup: bool,
    /// Always true: rate limits and counters need no second service here.
    pub redis_configured: bool,
    /// Whether the secret-scanning product is there.
    pub secret_scanning_configured: bool,
}
