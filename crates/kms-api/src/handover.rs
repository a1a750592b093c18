//! What the login page of a compatible server posts to a command line that waits (wire contract,
//! clients, section 4.7).

use serde::{Deserialize, Serialize};

/// A session, as the page hands it over. Nothing else may stand in it.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// The access token; the name is spelt so.
    #[serde(rename = "JTWToken")]
    pub token: String,
    /// The user's e-mail address.
    pub email: String,
    /// Always empty; older pages had a key here.
    #[serde(rename = "privateKey")]
    pub private_key: String,
    /// The refresh token, which most pages do not have.
    #[serde(default, rename = "RefreshToken", skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}
