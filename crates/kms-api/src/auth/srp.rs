//! A person's login by SRP, which older compatible servers ask for and this one does not offer
//! (wire contract, user authentication).

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::wire;

/// The name of the error with which a server asks for a login by SRP.
pub const LEGACY_ENCRYPTION_SCHEME: &str = "LegacyEncryptionScheme";

/// The first half.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SrpHello {
    /// The e-mail address.
    pub email: String,
    /// `A`, in hexadecimal.
    pub client_public_key: String,
}

/// The answer to [`SrpHello`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SrpHelloResponse {
    /// `B`, in hexadecimal.
    pub server_public_key: String,
    /// The account's salt, in hexadecimal.
    pub salt: String,
}

/// The second half.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SrpProof {
    /// The e-mail address.
    pub email: String,
    /// `M1`, in hexadecimal.
    pub client_proof: String,
    /// The password itself, for a server that insists on it.
    #[serde(default, serialize_with = "wire::expose_opt", skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretString>,
}

/// The answer to [`SrpProof`]. The encrypted key material beside it is of no use to a client that
/// leaves encryption to the server.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SrpProofResponse {
    /// An access token; with [`Self::mfa_enabled`], one that is good for the second factor alone.
    pub token: String,
    /// Whether a second factor is asked for.
    #[serde(default)]
    pub mfa_enabled: bool,
}

impl std::fmt::Debug for SrpProofResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SrpProofResponse(<redacted>)")
    }
}
