//! Spellings that clients of the contract use for booleans, numbers and absent values, and the one
//! way in which a credential is written into a body.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A boolean of a query string: exactly `true` or `false`, or Python's `True` and `False`
/// (which the Python SDK sends). Anything else is a validation error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WireBool(pub bool);

impl Serialize for WireBool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0 { "true" } else { "false" })
    }
}

impl<'de> Deserialize<'de> for WireBool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match std::borrow::Cow::<str>::deserialize(deserializer)?.as_ref() {
            "true" | "True" => Ok(Self(true)),
            "false" | "False" => Ok(Self(false)),
            _ => Err(D::Error::custom("expected `true` or `false`")),
        }
    }
}

/// Reads an optional text where an empty one means absent (`workspaceSlug=`, `slug: ""`).
pub fn blank_as_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// Reads `null`, which compatible servers send for what was never set, as the default.
pub fn null_as_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Tells a field that was left out (`None`) from one that was sent as `null` (`Some(None)`).
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Writes a credential into the body that proves who is asking.
pub fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// As [`expose`], for a credential that may be left out.
pub fn expose_opt<S: Serializer>(secret: &Option<SecretString>, to: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => expose(secret, to),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use crate::users::User;

    #[test]
    fn what_a_compatible_server_never_set_is_read_as_the_default() {
        let text = r#"{"id":"01a2187e-e249-7484-b1fa-863a84fc204f","username":"ada","email":"a@b.test",
            "firstName":null,"lastName":null,"isMfaEnabled":null,"authMethods":null,
            "superAdmin":null,"isEmailVerified":null,"createdAt":"2026-11-23T11:42:50.756Z",
            "updatedAt":"2026-11-23T11:42:50.756Z"}"#;
        let user: User = serde_json::from_str(text).unwrap();
        assert!(!user.super_admin && !user.is_mfa_enabled && user.auth_methods.is_empty());
    }
}
