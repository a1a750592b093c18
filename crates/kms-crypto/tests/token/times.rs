//! Tokens and time, under a virtual clock.

use crate::fixtures::{NOW, forge, header, identity, token_keys, user};
use kms_crypto::token::MAX_SKEW;
use kms_crypto::{CryptoError, TokenError, TokenPurpose, UserAccessClaims};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What becomes of a genuine user token with these claims put in or, by `null`, taken out.
fn verdict(changes: &Value, now: i64) -> Option<TokenError> {
    let mut payload = serde_json::to_value(user()).unwrap();
    let claims = payload.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    raw_verdict(&payload.to_string(), now)
}

fn raw_verdict(payload: &str, now: i64) -> Option<TokenError> {
    let purpose = TokenPurpose::UserAccess;
    let token = forge(purpose, &header(purpose), payload);
    let result = token_keys().verify::<UserAccessClaims>(&token, now).err();
    assert_eq!(result, token_keys().purpose(&token, now).err(), "both look at the same things");
    result
}

#[test]
fn expired_token_is_rejected_from_the_very_second() {
    let exp = user().exp;
    assert_eq!(verdict(&json!({}), exp - 1), None);
    assert_eq!(verdict(&json!({}), exp), Some(TokenError::Expired));
    assert_eq!(verdict(&json!({}), exp + 1), Some(TokenError::Expired));
    assert_eq!(verdict(&json!({}), i64::MAX), Some(TokenError::Expired));
}

#[test]
fn j7_a_token_without_a_usable_expiry_is_malformed() {
    for exp in [
        json!(null),
        json!("1800003600"),
        json!(f64::MAX),
        json!(1_800_003_600.5),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!([NOW + 10]),
        json!({}),
        json!(true),
        json!(0),
        json!(-1),
        json!(NOW),
        json!(NOW + TokenPurpose::UserAccess.max_lifetime() + 1),
    ] {
        assert_eq!(verdict(&json!({"exp": exp}), NOW), Some(TokenError::Malformed), "{exp}");
    }
    let longest = NOW + TokenPurpose::UserAccess.max_lifetime();
    assert_eq!(verdict(&json!({"exp": longest}), NOW), None);
    let payload = serde_json::to_string(&user()).unwrap();
    let null = payload.replace(&format!("\"exp\":{}", user().exp), "\"exp\":null");
    assert_ne!(payload, null);
    assert_eq!(raw_verdict(&null, NOW), Some(TokenError::Malformed));
    let twice = payload.replacen('{', &format!("{{\"exp\":{},", NOW + 9), 1);
    assert_eq!(raw_verdict(&twice, NOW), Some(TokenError::Malformed));
}

#[test]
fn claims_in_an_array_are_malformed() {
    let list = json!([NOW, NOW + 10, null, "accessToken"]).to_string();
    assert_eq!(raw_verdict(&list, NOW), Some(TokenError::Malformed));
}

#[test]
fn j7_a_token_without_a_usable_issue_time_is_malformed() {
    for iat in [json!(null), json!("x"), json!(u64::MAX), json!(1.5), json!(i64::MIN)] {
        assert_eq!(verdict(&json!({"iat": iat}), NOW), Some(TokenError::Malformed), "{iat}");
    }
}

#[test]
fn j7_issue_and_start_may_lie_ahead_by_the_skew_and_no_more() {
    for name in ["iat", "nbf"] {
        assert_eq!(verdict(&json!({name: NOW + MAX_SKEW}), NOW), None, "{name}");
        let beyond = verdict(&json!({name: NOW + MAX_SKEW + 1}), NOW);
        assert_eq!(beyond, Some(TokenError::NotYetValid), "{name}");
    }
    assert_eq!(verdict(&json!({"nbf": i64::MAX}), NOW), Some(TokenError::NotYetValid));
    assert_eq!(verdict(&json!({"nbf": "soon"}), NOW), Some(TokenError::Malformed));
    assert_eq!(MAX_SKEW, 60);
}

#[test]
fn j7_lifetimes_beyond_the_purpose_are_never_signed() {
    let keys = token_keys();
    let lifetimes = |exp: i64| {
        let mut claims = identity();
        claims.exp = exp;
        keys.sign(&claims).map(|_| ())
    };
    let longest = NOW + 90 * 24 * 60 * 60;
    assert_eq!(lifetimes(longest), Ok(()));
    for exp in [longest + 1, i64::MAX, NOW, NOW - 1, i64::MIN] {
        assert_eq!(lifetimes(exp), Err(CryptoError::ClaimsLifetime), "{exp}");
    }
}

proptest! {
    #[test]
    fn j7_acceptance_is_exactly_the_stated_window(
        iat in NOW - 1000..NOW + 1000,
        lifetime in 1i64..2000,
        nbf in proptest::option::of(NOW - 1000..NOW + 1000),
        now in NOW - 2000..NOW + 4000,
    ) {
        let exp = iat + lifetime;
        let latest_start = iat.max(nbf.unwrap_or(iat));
        let expected = if now >= exp {
            Some(TokenError::Expired)
        } else if latest_start - now > 60 {
            Some(TokenError::NotYetValid)
        } else {
            None
        };
        prop_assert_eq!(verdict(&json!({"iat": iat, "exp": exp, "nbf": nbf}), now), expected);
    }

    #[test]
    fn j7_no_combination_of_numbers_panics_or_outlives_its_expiry(
        iat: i64, exp: i64, nbf: i64, now: i64,
    ) {
        let result = verdict(&json!({"iat": iat, "exp": exp, "nbf": nbf}), now);
        if result.is_none() {
            prop_assert!(now < exp);
        }
    }
}
