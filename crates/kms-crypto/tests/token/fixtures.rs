//! Claims, keys and forgeries shared by these tests.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kms_crypto::{
    IdentityAccessClaims, Key, MfaClaims, ProviderClaims, SignUpClaims, SignUpUse, TokenKeys,
    TokenPurpose, UserAccessClaims, UserPageClaims, UserRefreshClaims,
};
use uuid::Uuid;

/// The virtual clock's start.
pub(crate) const NOW: i64 = 1_800_000_000;

/// The key bytes of a purpose, so that tests can sign what the crate would not.
pub(crate) fn key_bytes(purpose: TokenPurpose) -> [u8; 32] {
    let mut bytes = [0x5a; 32];
    bytes[0] = u8::try_from(purpose.as_str().len()).unwrap();
    bytes[1] = purpose.as_str().as_bytes()[0];
    bytes
}

pub(crate) fn token_keys() -> TokenKeys {
    TokenKeys::new(TokenPurpose::ALL.map(|p| (p, 1, Key::from_bytes(key_bytes(p)))))
}

/// Signs any header and payload with the genuine key of `purpose`.
pub(crate) fn forge(purpose: TokenPurpose, header: &str, payload: &str) -> String {
    forge_with(&key_bytes(purpose), header, payload)
}

pub(crate) fn forge_with(key: &[u8], header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(code))
}

/// The header that the crate writes.
pub(crate) fn header(purpose: TokenPurpose) -> String {
    format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{}.1"}}"#, purpose.as_str())
}

pub(crate) fn identity() -> IdentityAccessClaims {
    IdentityAccessClaims {
        jti: Uuid::from_u128(1),
        identity_id: Uuid::from_u128(2),
        identity_name: "builder".into(),
        auth_method: "universal-auth".into(),
        auth_method_id: Uuid::nil(),
        identity_epoch: 1,
        org_id: Uuid::from_u128(3),
        root_org_id: Uuid::from_u128(3),
        parent_org_id: Uuid::from_u128(3),
        client_secret_id: Some(Uuid::from_u128(4)),
        identity_access_token_id: Uuid::from_u128(1),
        ip_restriction_enabled: false,
        access_token_ttl: 7200,
        access_token_max_ttl: 7200,
        access_token_period: 0,
        creation_epoch: NOW,
        auth_token_type: TokenPurpose::IdentityAccess,
        identity_auth: serde_json::Map::new(),
        num_uses_limit: None,
        iat: NOW,
        exp: NOW + 7200,
    }
}

pub(crate) fn user() -> UserAccessClaims {
    UserAccessClaims {
        auth_token_type: TokenPurpose::UserAccess,
        auth_method: "email".into(),
        user_id: Uuid::from_u128(5),
        token_version_id: Uuid::from_u128(6),
        access_version: 1,
        organization_id: None,
        sub_organization_id: None,
        is_mfa_verified: None,
        mfa_method: None,
        iat: NOW,
        exp: NOW + 3600,
    }
}

pub(crate) fn refresh() -> UserRefreshClaims {
    UserRefreshClaims {
        jti: Uuid::from_u128(7),
        auth_token_type: TokenPurpose::UserRefresh,
        auth_method: "email".into(),
        user_id: Uuid::from_u128(5),
        token_version_id: Uuid::from_u128(6),
        refresh_version: 1,
        organization_id: Some(Uuid::from_u128(3)),
        sub_organization_id: None,
        is_mfa_verified: Some(true),
        mfa_method: Some("totp".into()),
        iat: NOW,
        exp: NOW + 3600,
    }
}

pub(crate) fn mfa() -> MfaClaims {
    MfaClaims {
        auth_token_type: TokenPurpose::Mfa,
        auth_method: "email".into(),
        user_id: Uuid::from_u128(5),
        token_version_id: Uuid::from_u128(6),
        mfa_method: "totp".into(),
        organization_id: None,
        iat: NOW,
        exp: NOW + 300,
    }
}

pub(crate) fn sign_up() -> SignUpClaims {
    SignUpClaims {
        auth_token_type: TokenPurpose::SignUp,
        epoch: 3,
        used_for: SignUpUse::Recovery,
        organization_id: None,
        user_id: Uuid::from_u128(5),
        iat: NOW,
        exp: NOW + 900,
    }
}

pub(crate) fn page() -> UserPageClaims {
    UserPageClaims {
        auth_token_type: TokenPurpose::UserPage,
        auth_method: "email".into(),
        user_id: Uuid::from_u128(5),
        token_version_id: Uuid::from_u128(6),
        access_version: 1,
        mfa_method: None,
        confirmed_at: None,
        iat: NOW,
        exp: NOW + 3600,
    }
}

pub(crate) fn provider() -> ProviderClaims {
    ProviderClaims {
        auth_token_type: TokenPurpose::Provider,
        username: "ada".into(),
        email: "ada@example.com".into(),
        auth_method: "oidc".into(),
        organization_id: None,
        user_id: None,
        first_name: None,
        last_name: None,
        iat: NOW,
        exp: NOW + 900,
    }
}
