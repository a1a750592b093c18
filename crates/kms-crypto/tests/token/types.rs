//! A token of one purpose is worth nothing for another, and claims keep their wire spelling.

use crate::fixtures::{
    NOW, forge, header, identity, key_bytes, mfa, page, provider, refresh, sign_up, token_keys,
    user,
};
use kms_crypto::{
    Claims, CryptoError, IdentityAccessClaims, Key, MfaClaims, ProviderClaims, SignUpClaims,
    TokenError, TokenKeys, TokenPurpose, UserAccessClaims, UserPageClaims, UserRefreshClaims,
};
use serde_json::{Value, json};

fn all_tokens(keys: &TokenKeys) -> [(TokenPurpose, String); 7] {
    [
        (TokenPurpose::IdentityAccess, keys.sign(&identity()).unwrap()),
        (TokenPurpose::UserAccess, keys.sign(&user()).unwrap()),
        (TokenPurpose::UserRefresh, keys.sign(&refresh()).unwrap()),
        (TokenPurpose::Mfa, keys.sign(&mfa()).unwrap()),
        (TokenPurpose::SignUp, keys.sign(&sign_up()).unwrap()),
        (TokenPurpose::Provider, keys.sign(&provider()).unwrap()),
        (TokenPurpose::UserPage, keys.sign(&page()).unwrap()),
    ]
}

fn outcome<C: Claims>(keys: &TokenKeys, token: &str) -> Result<(), TokenError> {
    keys.verify::<C>(token, NOW).map(|_| ())
}

/// Verifies as the claims of `purpose`.
fn verify_as(purpose: TokenPurpose, keys: &TokenKeys, token: &str) -> Result<(), TokenError> {
    match purpose {
        TokenPurpose::IdentityAccess => outcome::<IdentityAccessClaims>(keys, token),
        TokenPurpose::UserAccess => outcome::<UserAccessClaims>(keys, token),
        TokenPurpose::UserRefresh => outcome::<UserRefreshClaims>(keys, token),
        TokenPurpose::Mfa => outcome::<MfaClaims>(keys, token),
        TokenPurpose::SignUp => outcome::<SignUpClaims>(keys, token),
        TokenPurpose::Provider => outcome::<ProviderClaims>(keys, token),
        TokenPurpose::UserPage => outcome::<UserPageClaims>(keys, token),
    }
}

#[test]
fn j6_every_token_is_accepted_for_its_own_purpose_only() {
    let keys = token_keys();
    for (made_for, token) in all_tokens(&keys) {
        assert_eq!(keys.purpose(&token, NOW), Ok(made_for));
        for used_as in TokenPurpose::ALL {
            let expected = if used_as == made_for { Ok(()) } else { Err(TokenError::WrongType) };
            assert_eq!(verify_as(used_as, &keys, &token), expected, "{made_for:?} as {used_as:?}");
        }
    }
}

/// One purpose's key does not vouch for another purpose's claims, should it ever sign them.
#[test]
fn j6_claims_of_one_type_under_the_key_of_another_are_refused() {
    let keys = token_keys();
    let payloads = [
        (TokenPurpose::IdentityAccess, serde_json::to_string(&identity()).unwrap()),
        (TokenPurpose::UserAccess, serde_json::to_string(&user()).unwrap()),
        (TokenPurpose::UserRefresh, serde_json::to_string(&refresh()).unwrap()),
        (TokenPurpose::Mfa, serde_json::to_string(&mfa()).unwrap()),
        (TokenPurpose::SignUp, serde_json::to_string(&sign_up()).unwrap()),
        (TokenPurpose::Provider, serde_json::to_string(&provider()).unwrap()),
        (TokenPurpose::UserPage, serde_json::to_string(&page()).unwrap()),
    ];
    for signer in TokenPurpose::ALL {
        for (said, payload) in &payloads {
            let token = forge(signer, &header(signer), payload);
            for used_as in TokenPurpose::ALL {
                let genuine = signer == *said && used_as == signer;
                assert_eq!(verify_as(used_as, &keys, &token).is_ok(), genuine);
            }
        }
    }
}

#[test]
fn j6_a_key_id_of_one_purpose_with_the_signature_of_another_is_refused() {
    let keys = token_keys();
    let payload = serde_json::to_string(&user()).unwrap();
    for signer in TokenPurpose::ALL.into_iter().filter(|&p| p != TokenPurpose::UserAccess) {
        let token = forge(signer, &header(TokenPurpose::UserAccess), &payload);
        assert_eq!(keys.purpose(&token, NOW), Err(TokenError::InvalidSignature));
    }
}

#[test]
fn the_newest_key_signs_and_older_ones_still_verify() {
    let key = |byte: u8| Key::from_bytes([byte; 32]);
    let purpose = TokenPurpose::UserAccess;
    let old = TokenKeys::new([(purpose, 1, key(1))]).sign(&user()).unwrap();
    let both = TokenKeys::new([(purpose, 2, key(2)), (purpose, 1, key(1))]);
    let new = both.sign(&user()).unwrap();
    assert_eq!(both.verify(&old, NOW), Ok(user()));
    assert_eq!(both.verify(&new, NOW), Ok(user()));
    let retired = TokenKeys::new([(purpose, 2, key(2))]);
    assert_eq!(retired.verify(&new, NOW), Ok(user()));
    assert_eq!(retired.verify::<UserAccessClaims>(&old, NOW), Err(TokenError::InvalidSignature));
}

#[test]
fn a_purpose_without_a_key_signs_nothing() {
    let keys = TokenKeys::new([(TokenPurpose::Mfa, 1, Key::from_bytes([1; 32]))]);
    assert_eq!(keys.sign(&user()), Err(CryptoError::NoSigningKey(TokenPurpose::UserAccess)));
}

#[test]
fn purposes_have_names_of_their_own() {
    for purpose in TokenPurpose::ALL {
        assert_eq!(serde_json::to_value(purpose).unwrap(), json!(purpose.wire_type()));
        let namesakes = |name: fn(TokenPurpose) -> &'static str| {
            TokenPurpose::ALL.into_iter().filter(|&p| name(p) == name(purpose)).count()
        };
        assert_eq!(namesakes(TokenPurpose::as_str), 1);
        assert_eq!(namesakes(TokenPurpose::wire_type), 1);
    }
    let fixture_keys: std::collections::HashSet<_> = TokenPurpose::ALL.map(key_bytes).into();
    assert_eq!(fixture_keys.len(), TokenPurpose::ALL.len());
}

#[test]
fn identity_claims_keep_their_wire_spelling() {
    let mut claims = identity();
    let wire = json!({
        "jti": claims.jti, "identityId": claims.identity_id, "identityName": "builder",
        "authMethod": "universal-auth", "authMethodId": claims.auth_method_id,
        "identityEpoch": claims.identity_epoch, "orgId": claims.org_id, "rootOrgId": claims.root_org_id,
        "parentOrgId": claims.parent_org_id, "clientSecretId": claims.client_secret_id,
        "identityAccessTokenId": claims.jti, "ipRestrictionEnabled": false,
        "accessTokenTTL": 7200, "accessTokenMaxTTL": 7200, "accessTokenPeriod": 0,
        "creationEpoch": NOW, "authTokenType": "identityAccessToken", "identityAuth": {},
        "iat": NOW, "exp": NOW + 7200,
    });
    assert_eq!(serde_json::to_value(&claims).unwrap(), wire);

    claims.client_secret_id = None;
    claims.num_uses_limit = Some(3);
    claims.identity_auth.insert("oidc".into(), json!({"sub": "repo"}));
    let value = serde_json::to_value(&claims).unwrap();
    assert_eq!(value["clientSecretId"], "");
    assert_eq!(value["numUsesLimit"], 3);
    assert_eq!(value["identityAuth"]["oidc"]["sub"], "repo");
    assert_eq!(serde_json::from_value::<IdentityAccessClaims>(value).unwrap(), claims);
}

#[test]
fn user_claims_keep_their_wire_spelling() {
    assert_eq!(
        serde_json::to_value(user()).unwrap(),
        json!({
            "authTokenType": "accessToken", "authMethod": "email", "userId": user().user_id,
            "tokenVersionId": user().token_version_id, "accessVersion": 1,
            "iat": NOW, "exp": NOW + 3600,
        })
    );
    assert_eq!(
        serde_json::to_value(refresh()).unwrap(),
        json!({
            "jti": refresh().jti,
            "authTokenType": "refreshToken", "authMethod": "email", "userId": refresh().user_id,
            "tokenVersionId": refresh().token_version_id, "refreshVersion": 1,
            "organizationId": refresh().organization_id, "isMfaVerified": true,
            "mfaMethod": "totp", "iat": NOW, "exp": NOW + 3600,
        })
    );
    assert_eq!(serde_json::to_value(mfa()).unwrap()["authTokenType"], "mfaToken");
    assert_eq!(serde_json::to_value(sign_up()).unwrap()["authTokenType"], "signupToken");
    let provider: Value = serde_json::to_value(provider()).unwrap();
    assert_eq!(provider["authTokenType"], "providerToken");
    assert_eq!(provider["email"], "ada@example.com");
    assert!(provider.get("firstName").is_none());
}
