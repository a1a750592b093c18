//! What each kind of token says, in the spelling of the wire. Claims hold no secrets.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::token::{Claims, TokenPurpose};

/// A machine identity's access token, in the stateless form: all that a request needs to know, while
/// revocation is looked up by `jti`, identity, client secret and organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityAccessClaims {
    /// The token's id; the same as `identity_access_token_id`, and kept on renewal.
    pub jti: Uuid,
    /// The identity that logged in.
    pub identity_id: Uuid,
    /// Its name at that time, for people who read tokens.
    pub identity_name: String,
    /// The login method, such as `universal-auth`.
    pub auth_method: String,
    /// The auth method's configuration on the identity; a token dies with it.
    pub auth_method_id: Uuid,
    /// The identity's epoch at that time; a token dies when it is raised.
    pub identity_epoch: i64,
    /// The organization that the token acts in.
    pub org_id: Uuid,
    /// The organization at the top of that one.
    pub root_org_id: Uuid,
    /// The organization directly above, or the same where there is none.
    pub parent_org_id: Uuid,
    /// The client secret used; an empty text on the wire for all methods but universal auth.
    #[serde(with = "empty_when_none")]
    pub client_secret_id: Option<Uuid>,
    /// The token's id under its older name.
    pub identity_access_token_id: Uuid,
    /// Whether the method's trusted addresses limit where the token may be used.
    pub ip_restriction_enabled: bool,
    /// Configured lifetime in seconds; 0 for the longest allowed.
    #[serde(rename = "accessTokenTTL")]
    pub access_token_ttl: i64,
    /// Configured bound on all renewals in seconds, counted from `creation_epoch`; 0 for none.
    #[serde(rename = "accessTokenMaxTTL")]
    pub access_token_max_ttl: i64,
    /// Lifetime of a periodic token in seconds; 0 when it is not periodic.
    pub access_token_period: i64,
    /// When the login happened, in Unix seconds; kept on renewal.
    pub creation_epoch: i64,
    /// Always [`TokenPurpose::IdentityAccess`].
    pub auth_token_type: TokenPurpose,
    /// What the login method learnt about the machine; an empty object if nothing.
    pub identity_auth: Map<String, Value>,
    /// How many requests the token is good for; absent when unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_uses_limit: Option<i64>,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires at, in Unix seconds.
    pub exp: i64,
}

/// A user's access token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserAccessClaims {
    /// Always [`TokenPurpose::UserAccess`].
    pub auth_token_type: TokenPurpose,
    /// How the person logged in, such as `email`.
    pub auth_method: String,
    /// The user.
    pub user_id: Uuid,
    /// The session.
    pub token_version_id: Uuid,
    /// The session's access version; logging out moves it on.
    pub access_version: i64,
    /// The root organization chosen; absent before one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<Uuid>,
    /// The sub-organization chosen, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_organization_id: Option<Uuid>,
    /// Whether a second factor was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_mfa_verified: Option<bool>,
    /// Which second factor was given: `email`, `totp` or `webauthn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_method: Option<String>,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires at, in Unix seconds.
    pub exp: i64,
}

/// A user's refresh token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserRefreshClaims {
    /// The token's own id; each refresh answers with another.
    pub jti: Uuid,
    /// Always [`TokenPurpose::UserRefresh`].
    pub auth_token_type: TokenPurpose,
    /// How the person logged in, such as `email`.
    pub auth_method: String,
    /// The user.
    pub user_id: Uuid,
    /// The session.
    pub token_version_id: Uuid,
    /// Which generation of the session's refresh tokens it belongs to; each use of the newest
    /// begins the next.
    pub refresh_version: i64,
    /// The root organization chosen; absent before one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<Uuid>,
    /// The sub-organization chosen, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_organization_id: Option<Uuid>,
    /// Whether a second factor was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_mfa_verified: Option<bool>,
    /// Which second factor was given: `email`, `totp` or `webauthn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_method: Option<String>,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires at, in Unix seconds.
    pub exp: i64,
}

/// A login that waits for its second factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MfaClaims {
    /// Always [`TokenPurpose::Mfa`].
    pub auth_token_type: TokenPurpose,
    /// How the person logged in so far.
    pub auth_method: String,
    /// The user.
    pub user_id: Uuid,
    /// The session that the second factor is given for.
    pub token_version_id: Uuid,
    /// Which second factor is asked for: `email`, `totp` or `webauthn`.
    pub mfa_method: String,
    /// The organization being selected, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<Uuid>,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires at, in Unix seconds.
    pub exp: i64,
}

/// A browser that somebody signed in with. It acts nowhere: what is done from a page names its
/// organization each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserPageClaims {
    /// Always [`TokenPurpose::UserPage`].
    pub auth_token_type: TokenPurpose,
    /// How the person logged in, such as `email`.
    pub auth_method: String,
    /// The user.
    pub user_id: Uuid,
    /// The session.
    pub token_version_id: Uuid,
    /// The session's access version; logging out moves it on.
    pub access_version: i64,
    /// Which second factor was given: `email`, `totp` or `webauthn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_method: Option<String>,
    /// When the person gave their password again since the login, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<i64>,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires at, in Unix seconds.
    pub exp: i64,
}

/// What [`SignUpClaims`] are good for: one thing, and nothing else of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignUpUse {
    /// Completing an account that was signed up for.
    SignUp,
    /// Completing the account of somebody who was invited.
    Invitation,
    /// Setting a new password.
    Recovery,
}

/// Permission to complete an account or to set a new password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignUpClaims {
    /// Always [`TokenPurpose::SignUp`].
    pub auth_token_type: TokenPurpose,
    /// The user.
    pub user_id: Uuid,
    /// The user's epoch at that time; the token dies when it is raised, so it is good once.
    pub epoch: i64,
    /// What it is good for.
    pub used_for: SignUpUse,
    /// The organization of an invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<Uuid>,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires at, in Unix seconds.
    pub exp: i64,
}

/// What single sign-on told about somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderClaims {
    /// Always [`TokenPurpose::Provider`].
    pub auth_token_type: TokenPurpose,
    /// The user's name for logging in.
    pub username: String,
    /// The address that the provider vouches for.
    pub email: String,
    /// The provider, such as `oidc` or `github`.
    pub auth_method: String,
    /// The organization whose provider it is, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<Uuid>,
    /// The user, if already known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// First name, if told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name, if told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires at, in Unix seconds.
    pub exp: i64,
}

macro_rules! claims {
    ($($claims:ident => $purpose:ident),+ $(,)?) => {$(
        impl Claims for $claims {
            const PURPOSE: TokenPurpose = TokenPurpose::$purpose;

            fn issued_at(&self) -> i64 {
                self.iat
            }

            fn expires_at(&self) -> i64 {
                self.exp
            }

            fn auth_token_type(&self) -> &str {
                self.auth_token_type.wire_type()
            }
        }
    )+};
}

claims! {
    IdentityAccessClaims => IdentityAccess,
    UserAccessClaims => UserAccess,
    UserRefreshClaims => UserRefresh,
    MfaClaims => Mfa,
    SignUpClaims => SignUp,
    ProviderClaims => Provider,
    UserPageClaims => UserPage,
}

/// An optional id that is an empty text on the wire when absent.
mod empty_when_none {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
    use uuid::Uuid;

    #[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
    pub(super) fn serialize<S: Serializer>(id: &Option<Uuid>, to: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => id.serialize(to),
            None => to.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Uuid>, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        if text.is_empty() {
            return Ok(None);
        }
        Uuid::try_parse(&text).map(Some).map_err(de::Error::custom)
    }
}
