//! What a token says about itself, for display and for knowing when it ends.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kms_api::{IdentityId, OrganizationId, SessionId, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The claims of an access token. Nothing has verified them: they are good for telling the
/// token's owner about it, and for nothing else.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Claims {
    /// The person.
    pub user_id: Option<UserId>,
    /// The machine identity.
    pub identity_id: Option<IdentityId>,
    /// The machine identity's name.
    pub identity_name: Option<String>,
    /// `accessToken` of people, `identityAccessToken` of machines.
    pub auth_token_type: Option<String>,
    /// How it was logged in.
    pub auth_method: Option<String>,
    /// The session of a person.
    pub token_version_id: Option<SessionId>,
    /// The organization of a person's token.
    pub organization_id: Option<OrganizationId>,
    /// The sub-organization of a person's token.
    pub sub_organization_id: Option<OrganizationId>,
    /// The organization of a machine's token.
    pub org_id: Option<OrganizationId>,
    /// When it was issued, in seconds since 1970.
    pub iat: Option<i64>,
    /// When it ends, in seconds since 1970.
    pub exp: Option<i64>,
}

impl Claims {
    /// Reads the claims of a JWT; `None` if it is none.
    pub fn of(token: &SecretString) -> Option<Self> {
        let mut parts = token.expose_secret().split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        // An array would do for a struct of optional fields.
        let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
        serde_json::from_value(Value::Object(claims)).ok()
    }

    /// How long the token lives from its issue on, in seconds.
    pub fn lifetime(&self) -> Option<i64> {
        Some(self.exp?.saturating_sub(self.iat?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> SecretString {
        format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload)).into()
    }

    #[test]
    fn a_jwt_tells_who_and_until_when() {
        let claims = Claims::of(&token(
            r#"{"userId":"0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d","iat":100,"exp":700,"x":[1]}"#,
        ))
        .unwrap();
        assert!(claims.user_id.is_some());
        assert_eq!(claims.lifetime(), Some(600));
    }

    #[test]
    fn what_is_no_jwt_has_no_claims() {
        for text in ["", "st.a.b.c", "a.b", "a.!!.c", "a.e30.c.d"] {
            assert!(Claims::of(&text.into()).is_none(), "{text}");
        }
        assert!(Claims::of(&token("[]")).is_none());
    }
}
