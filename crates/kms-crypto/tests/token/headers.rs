//! Headers: nothing but our own passes, even under a genuine signature.

use crate::fixtures::{NOW, forge, forge_with, header, identity, key_bytes, token_keys};
use kms_crypto::{Claims, IdentityAccessClaims, TokenError, TokenPurpose};
use proptest::prelude::*;

const PURPOSE: TokenPurpose = TokenPurpose::IdentityAccess;

fn payload() -> String {
    serde_json::to_string(&identity()).unwrap()
}

/// What becomes of a correctly signed token with this header.
fn verdict(header: &str) -> Result<IdentityAccessClaims, TokenError> {
    token_keys().verify(&forge(PURPOSE, header, &payload()), NOW)
}

#[test]
fn our_own_header_passes() {
    assert_eq!(verdict(&header(PURPOSE)), Ok(identity()));
    assert_eq!(verdict(r#"{"alg":"HS256","kid":"identity-access.1"}"#), Ok(identity()));
}

#[test]
fn j2_other_algorithms_are_refused_before_any_key_is_looked_up() {
    let algorithms = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        " none",
        "",
        "hs256",
        "Hs256",
        "HS256 ",
        " HS256",
        "HS256\\u0000",
        "HS-256",
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "PS256",
        "PS384",
        "PS512",
        "EdDSA",
        "A256GCM",
        "dir",
        "RSA-OAEP",
        "HMAC",
        "SHA256",
        "null",
        "undefined",
        "*",
        "HS256,none",
        "\u{212a}S256",
        "\u{ff28}S256",
    ];
    assert!(algorithms.len() >= 30);
    for algorithm in algorithms {
        for kid in ["identity-access.1", "unknown"] {
            let header = format!(r#"{{"typ":"JWT","alg":"{algorithm}","kid":"{kid}"}}"#);
            let result = verdict(&header);
            // An escape sequence is nothing that we write: malformed, whatever it stands for.
            let expected = if algorithm.contains('\\') {
                TokenError::Malformed
            } else {
                TokenError::InvalidAlgorithm
            };
            assert_eq!(result, Err(expected), "{header}");
        }
    }
}

#[test]
fn j2_headers_of_another_shape_are_malformed() {
    let kid = r#""kid":"identity-access.1""#;
    for header in [
        format!("{{{kid}}}"),
        format!(r#"{{"alg":null,{kid}}}"#),
        format!(r#"{{"alg":["HS256"],{kid}}}"#),
        format!(r#"{{"alg":["none","HS256"],{kid}}}"#),
        format!(r#"{{"alg":{{"name":"HS256"}},{kid}}}"#),
        format!(r#"{{"alg":256,{kid}}}"#),
        format!(r#"{{"alg":true,{kid}}}"#),
        format!(r#"{{"ALG":"HS256",{kid}}}"#),
        format!(r#"{{"Alg":"HS256",{kid}}}"#),
        format!(r#"{{"alg":"none","alg":"HS256",{kid}}}"#),
        format!(r#"{{"alg":"HS256","alg":"none",{kid}}}"#),
        format!(r#"{{"alg":"HS256","alg":"HS256",{kid}}}"#),
        format!(r#"{{"alg":"HS\u0032\u0035\u0036",{kid}}}"#),
        format!(r#"{{"alg":"HS256","enc":"A256GCM",{kid}}}"#),
        format!(r#"{{"alg":"HS256","zip":"DEF",{kid}}}"#),
        format!(r#"{{"alg":"HS256","b64":false,{kid}}}"#),
        format!(r#"{{"alg":"HS256","crit":["exp"],{kid}}}"#),
        format!(r#"{{"alg":"HS256","crit":[],{kid}}}"#),
        format!(r#"{{"alg":"HS256","typ":"JWE",{kid}}}"#),
        format!(r#"{{"alg":"HS256","cty":"JWT",{kid}}}"#),
        format!(r#"{{"alg":"HS256",{kid}}} "#) + "x",
        format!(r#"{{"alg":"HS256",{kid}"#),
        r#"["HS256"]"#.into(),
        r#"["HS256","JWT","identity-access.1"]"#.into(),
        r#""HS256""#.into(),
        "null".into(),
        "{}".into(),
        String::new(),
        "\u{feff}{}".into(),
        "[".repeat(150),
        format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "a".repeat(300)),
    ] {
        assert_eq!(verdict(&header), Err(TokenError::Malformed), "{header}");
    }
}

#[test]
fn j3_keys_brought_or_named_by_the_token_are_refused() {
    for smuggled in [
        r#""jwk":{"kty":"oct","k":"AAAA"}"#,
        r#""jku":"http://127.0.0.1:1/keys""#,
        r#""x5u":"http://127.0.0.1:1/cert""#,
        r#""x5c":["AAAA"]"#,
        r#""x5t":"AAAA""#,
        r#""x5t#S256":"AAAA""#,
    ] {
        let header = format!(r#"{{"alg":"HS256",{smuggled},"kid":"identity-access.1"}}"#);
        assert_eq!(verdict(&header), Err(TokenError::Malformed), "{header}");
    }
}

#[test]
fn j3_a_key_id_is_only_an_index_into_our_own_keys() {
    for kid in [
        "",
        "identity-access",
        "identity-access.",
        "identity-access.2",
        "identity-access.01",
        "identity-access.1 ",
        "IDENTITY-ACCESS.1",
        "../../dev/null",
        "/etc/passwd",
        "' OR 1=1 --",
        "http://127.0.0.1:1/key",
        "0",
        "1",
        "*",
        "identity-access.1.1",
    ] {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
        assert_eq!(verdict(&header), Err(TokenError::InvalidSignature), "{kid}");
    }
    assert_eq!(verdict(r#"{"alg":"HS256"}"#), Err(TokenError::InvalidSignature));
    assert_eq!(verdict(r#"{"alg":"HS256","kid":null}"#), Err(TokenError::InvalidSignature));
    assert_eq!(
        verdict(r#"{"alg":"HS256","kid":["identity-access.1"]}"#),
        Err(TokenError::Malformed)
    );
    assert_eq!(verdict(r#"{"alg":"HS256","kid":1}"#), Err(TokenError::Malformed));
}

#[test]
fn signatures_by_other_keys_or_none_are_refused() {
    let mut other = key_bytes(PURPOSE);
    other[31] ^= 1;
    for key in [&other[..], &[], &[0; 32], b"secret"] {
        let token = forge_with(key, &header(PURPOSE), &payload());
        let result = token_keys().verify::<IdentityAccessClaims>(&token, NOW);
        assert_eq!(result, Err(TokenError::InvalidSignature));
    }
    let token = forge(PURPOSE, &header(PURPOSE), &payload());
    let (message, signature) = token.rsplit_once('.').unwrap();
    for (signature, expected) in [
        ("", TokenError::InvalidSignature),
        (&signature[..42], TokenError::Malformed),
        ("AAAA", TokenError::InvalidSignature),
        (&format!("{signature}="), TokenError::Malformed),
        ("!!!!", TokenError::Malformed),
    ] {
        let token = format!("{message}.{signature}");
        let result = token_keys().verify::<IdentityAccessClaims>(&token, NOW);
        assert_eq!(result, Err(expected), "{signature}");
    }
}

#[test]
fn a_tokens_form_is_three_parts_of_bounded_length() {
    let token = forge(PURPOSE, &header(PURPOSE), &payload());
    let verdict = |token: &str| token_keys().verify::<IdentityAccessClaims>(token, NOW);
    assert!(verdict(&token).is_ok());
    for bad in ["", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "Bearer x.y.z", "st.a.b"] {
        assert_eq!(verdict(bad), Err(TokenError::Malformed), "{bad}");
    }
    for bad in [format!(" {token}"), format!("{token} "), format!("{token}\n"), format!(".{token}")]
    {
        assert_eq!(verdict(&bad), Err(TokenError::Malformed), "{bad:?}");
    }
    assert!(verdict(&format!("{token}.")).is_err());
}

#[test]
fn d1_a_token_beyond_8_kib_is_refused_though_genuine() {
    let genuine = |filler: usize| {
        let payload = payload().replacen('{', &format!(r#"{{"x":"{}","#, "a".repeat(filler)), 1);
        forge(PURPOSE, &header(PURPOSE), &payload)
    };
    let verdict = |token: &str| token_keys().verify::<IdentityAccessClaims>(token, NOW).err();
    let fitting = (0..8 * 1024).rev().find(|&n| genuine(n).len() <= 8 * 1024).unwrap();
    assert_eq!(verdict(&genuine(fitting)), None);
    assert_eq!(verdict(&genuine(fitting + 2)), Some(TokenError::Malformed));
}

#[test]
fn claims_refused_for_their_type_are_never_signed() {
    let keys = token_keys();
    let mut claims = identity();
    claims.auth_token_type = TokenPurpose::UserAccess;
    assert_eq!(keys.sign(&claims), Err(kms_crypto::CryptoError::ClaimsType));
    claims = identity();
    claims.identity_name = "n".repeat(8 * 1024);
    assert_eq!(keys.sign(&claims), Err(kms_crypto::CryptoError::ClaimsSize));
    assert_eq!(IdentityAccessClaims::TYPE, "identityAccessToken");
}

proptest! {
    #[test]
    fn j2_any_algorithm_but_ours_is_refused(algorithm in "[ -!#-\\[\\]-~]{0,12}") {
        prop_assume!(algorithm != "HS256");
        let header = format!(r#"{{"alg":"{algorithm}","kid":"identity-access.1"}}"#);
        prop_assert_eq!(verdict(&header), Err(TokenError::InvalidAlgorithm));
    }

    #[test]
    fn arbitrary_text_is_refused_without_a_panic(token in "\\PC{0,200}") {
        prop_assert!(token_keys().verify::<IdentityAccessClaims>(&token, NOW).is_err());
    }

    #[test]
    fn one_changed_character_anywhere_is_refused(index: proptest::sample::Index, with in "[A-Za-z0-9_.-]") {
        let token = forge(PURPOSE, &header(PURPOSE), &payload());
        let at = index.index(token.len());
        prop_assume!(token[at..=at] != with);
        let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
        prop_assert!(token_keys().verify::<IdentityAccessClaims>(&changed, NOW).is_err());
    }
}
