//! Plaintext of a secret, which only the wire may write out.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// A secret's plaintext: wiped when dropped, redacted in `Debug`, written out only by
/// serialization and by [`SecretValue::expose`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SecretValue(SecretString);

impl SecretValue {
    /// The plaintext. Every call site is a place where a secret leaves its wrapper.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for SecretValue {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for SecretValue {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl Serialize for SecretValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for SecretValue {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        <String as utoipa::PartialSchema>::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for SecretValue {}
