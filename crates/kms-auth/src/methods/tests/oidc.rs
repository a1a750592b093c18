//! J3, J4, J5, J8 and C11 for OIDC.

use kms_api::auth::oidc::{Config, Oidc};
use serde_json::json;

use super::*;
use crate::testing::{Authority, Peer, Signer, changed, json as answer, status};

/// A provider that publishes what `change` makes of its discovery document.
async fn provider(change: impl Fn(&str) -> Value) -> (Peer, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let issuer = format!("http://{address}");
    let usual = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
    let document = changed(&usual, &change(&issuer));
    let keys = json!({ "keys": [Signer::rsa().jwk()] });
    let peer = Peer::bind(address, None, move |request| match request.uri().path() {
        "/.well-known/openid-configuration" => answer(&document),
        "/keys" => answer(&keys),
        _ => status(404),
    })
    .await;
    (peer, issuer)
}

fn config(issuer: &str, changes: &Value) -> Config {
    let settings = json!({
        "oidcDiscoveryUrl": issuer,
        "boundIssuer": issuer,
        "boundAudiences": "kms",
        "boundSubject": "repo:octo/*",
    });
    attach::<Oidc>(&changed(&settings, changes)).unwrap()
}

fn claims(issuer: &str) -> Value {
    json!({ "iss": issuer, "sub": "repo:octo/app", "aud": "kms", "exp": NOW + 300, "iat": NOW })
}

#[tokio::test]
async fn a_token_of_the_provider_logs_in_and_its_claims_are_mapped() {
    let (peer, issuer) = provider(|_| json!({})).await;
    let config =
        config(&issuer, &json!({ "claimMetadataMapping": { "team": "org.team", "n": "n" } }));
    let verifier = verifier(Endpoints::default());
    let extra = json!({ "org": { "team": "red" }, "n": 7 });
    let token = Signer::rsa().sign(&changed(&claims(&issuer), &extra));
    let principal = login::<Oidc>(&verifier, &config, &token).await.unwrap();
    let expected = json!({ "oidc": { "claims": { "team": "red", "n": "7" } } });
    assert_eq!(Value::Object(principal.identity_auth), expected);
    assert_eq!(principal.facts[1], ("subject", "repo:octo/app".to_owned()));
    // Once for the document, once for the keys, whoever logs in afterwards.
    login::<Oidc>(&verifier, &config, &token).await.unwrap();
    assert_eq!(peer.requests().len(), 2);
    let without = Signer::rsa().sign(&claims(&issuer));
    let (status, text) = refused(login::<Oidc>(&verifier, &config, &without).await);
    assert_eq!((status, text.contains("token has no n field")), (401, true), "{text}");
}

#[tokio::test]
async fn j4_an_audience_is_one_of_the_tokens_whole() {
    let (_peer, issuer) = provider(|_| json!({})).await;
    let config = config(&issuer, &json!({ "boundAudiences": "a,b" }));
    let verifier = verifier(Endpoints::default());
    for (audience, good) in [
        (json!(null), false),
        (json!(""), false),
        (json!("a"), true),
        (json!(["a"]), true),
        (json!(["x", "a"]), true),
        (json!(["x", "b"]), true),
        (json!("aa"), false),
        (json!(["aa", "xa"]), false),
        (json!("a, b"), false),
        (json!("a b"), false),
        (json!("A"), false),
        (json!(1), false),
        (json!([1]), false),
        (json!({ "a": 1 }), false),
        (json!([["a"]]), false),
        (json!([]), false),
        (json!("https://a/b"), false),
        (json!("a\u{0}"), false),
        (json!(true), false),
    ] {
        let token = Signer::rsa().sign(&changed(&claims(&issuer), &json!({ "aud": audience })));
        let result = login::<Oidc>(&verifier, &config, &token).await;
        assert_eq!(result.is_ok(), good, "{audience}");
    }
}

#[test]
fn j4_an_issuer_that_signs_for_others_needs_a_limit() {
    let github = "https://token.actions.githubusercontent.com";
    let open = json!({ "oidcDiscoveryUrl": github, "boundIssuer": github });
    assert_eq!(fields(attach::<Oidc>(&open)), ["boundAudiences"]);
    for nothing in [
        json!({ "boundAudiences": "*" }),
        json!({ "boundAudiences": " , " }),
        json!({ "boundSubject": "**" }),
        json!({ "boundSubject": "**/*" }),
        json!({ "boundSubject": "?*" }),
        json!({ "boundSubject": "!(a)" }),
        json!({ "boundSubject": "[^a]*:*" }),
        json!({ "boundSubject": "{a,*}" }),
        json!({ "boundClaims": { "repository": "*" } }),
        json!({ "boundAudiences": "kms, *" }),
    ] {
        assert_eq!(
            fields(attach::<Oidc>(&changed(&open, &nothing))),
            ["boundAudiences"],
            "{nothing}"
        );
    }
    for limit in [
        json!({ "boundAudiences": "kms" }),
        json!({ "boundSubject": "repo:octo/*" }),
        json!({ "boundClaims": { "repository_owner": "octo" } }),
    ] {
        assert!(attach::<Oidc>(&changed(&open, &limit)).is_ok(), "{limit}");
    }
    let own = json!({ "oidcDiscoveryUrl": "https://idp.corp.test", "boundIssuer": "https://idp.corp.test" });
    let attached = attach::<Oidc>(&own).unwrap();
    let moved = change::<Oidc>(&attached, &json!({ "boundIssuer": github }));
    assert_eq!(fields(moved), ["boundAudiences"]);
}

#[tokio::test]
async fn j5_a_document_of_another_issuer_or_with_keys_elsewhere_is_not_believed() {
    let elsewhere = Peer::http(|_| answer(&json!({ "keys": [Signer::rsa().jwk()] }))).await;
    let foreign = format!("http://localhost:{}/keys", elsewhere.address.port());
    let bad = [
        json!({ "issuer": "https://other.test" }),
        json!({ "issuer": null }),
        json!({ "jwks_uri": null }),
        json!({ "jwks_uri": foreign }),
        json!({ "jwks_uri": elsewhere.url().replace("127.0.0.1", "127.0.0.2") }),
        json!({ "jwks_uri": elsewhere.url() }),
        json!({ "jwks_uri": "file:///etc/passwd" }),
        json!({ "jwks_uri": "https://169.254.169.254/keys" }),
        json!({ "jwks_uri": "/keys" }),
    ];
    for change in bad {
        let copy = change.clone();
        let (_peer, issuer) = provider(move |_| copy.clone()).await;
        let token = Signer::rsa().sign(&claims(&issuer));
        let verifier = verifier(Endpoints::default());
        let result = login::<Oidc>(&verifier, &config(&issuer, &json!({})), &token).await;
        assert_eq!(refused(result).0, 401, "{change}");
    }
    // With a slash at its end an issuer is another one.
    let (_peer, issuer) = provider(|_| json!({})).await;
    let verifier = verifier(Endpoints::default());
    let config = config(&issuer, &json!({}));
    let swapped =
        Signer::rsa().sign(&changed(&claims(&issuer), &json!({ "iss": format!("{issuer}/") })));
    assert_eq!(refused(login::<Oidc>(&verifier, &config, &swapped).await).0, 401);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_genuine_token_hears_which_rule_it_breaks_and_no_other_does() {
    let (_peer, issuer) = provider(|_| json!({})).await;
    let config = config(&issuer, &json!({ "boundClaims": { "env": "prod" } }));
    let verifier = verifier(Endpoints::default());
    let good = changed(&claims(&issuer), &json!({ "env": "prod" }));
    for (changes, status, part) in [
        (json!({ "sub": "repo:octo/app/x" }), 403, "OIDC subject not allowed"),
        (json!({ "sub": null }), 401, "no subject"),
        (json!({ "aud": "other" }), 401, "OIDC audience not allowed"),
        (json!({ "env": "dev" }), 401, "OIDC claim not allowed"),
        (json!({ "env": null }), 401, "token has no env field"),
        (json!({ "iss": "https://other.test" }), 401, "OIDC issuer not allowed"),
        (json!({ "exp": NOW }), 401, "expired"),
        (json!({ "exp": null }), 401, "no expiry"),
    ] {
        let token = Signer::rsa().sign(&changed(&good, &changes));
        let (is, text) = refused(login::<Oidc>(&verifier, &config, &token).await);
        assert!(is == status && text.contains(part), "{changes}: {is} {text}");
        let forged = Signer::imposter().sign(&changed(&good, &changes));
        assert_eq!(refused(login::<Oidc>(&verifier, &config, &forged).await), unverified());
    }
}

#[tokio::test]
async fn j8_a_claim_is_what_the_rule_says_and_nothing_like_it() {
    let (_peer, issuer) = provider(|_| json!({})).await;
    let verifier = verifier(Endpoints::default());
    for (rule, value, good) in [
        ("a", json!("a"), true),
        ("a", json!("A"), false),
        ("a", json!("а"), false),
        ("a", json!("a "), false),
        ("a", json!(["b", "a"]), true),
        ("a", json!([["a"]]), false),
        ("a", json!({ "a": "a" }), false),
        ("a, b", json!("b"), true),
        ("a,b", json!("b"), true),
        ("a ,b", json!("a"), true),
        ("a,b", json!("a,b"), false),
        ("a*", json!("a*"), true),
        ("a*", json!("a/b"), false),
        ("null", json!(null), false),
        ("", json!(""), false),
        ("true", json!(true), true),
        ("true", json!("true"), true),
        ("false", json!(false), false),
        ("x", json!(false), false),
        ("1", json!(1), true),
        ("1", json!("1"), true),
        ("1", json!(1.5), false),
        ("1x", json!(1), false),
        ("0", json!(0), false),
        ("01", json!("1"), false),
        ("true", json!(1), false),
        ("1", json!(true), false),
        ("*", json!(5), false),
        ("a", json!("a\u{0}"), false),
        ("\\{\\{a\\}\\}", json!("a"), false),
        ("+", json!("a"), false),
        ("5", json!([5]), false),
        ("true", json!([true]), false),
        ("auth0|5", json!("auth0|5"), true),
        ("auth0|5", json!("5"), false),
    ] {
        let config = match attach::<Oidc>(&json!({
            "oidcDiscoveryUrl": issuer, "boundIssuer": issuer, "boundAudiences": "kms",
            "boundClaims": { "c": rule },
        })) {
            Ok(config) => config,
            Err(_) if rule.is_empty() => continue,
            Err(wrong) => panic!("{rule}: {wrong:?}"),
        };
        let token = Signer::rsa().sign(&changed(&claims(&issuer), &json!({ "c": value })));
        let result = login::<Oidc>(&verifier, &config, &token).await;
        assert_eq!(result.is_ok(), good, "`{rule}` {value}");
    }
}

#[tokio::test]
async fn c11_a_provider_is_who_its_certificate_says() {
    let (ours, other) = (Authority::new(), Authority::new());
    for (authority, name, good) in
        [(&ours, "127.0.0.1", true), (&ours, "idp.test", false), (&other, "127.0.0.1", false)]
    {
        let tls = authority.server(name, |_| {});
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let issuer = format!("https://{address}");
        let document = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        let keys = json!({ "keys": [Signer::rsa().jwk()] });
        let peer = Peer::bind(address, Some(tls), move |request| {
            if request.uri().path() == "/keys" { answer(&keys) } else { answer(&document) }
        })
        .await;
        let config = config(&issuer, &json!({ "caCert": ours.pem() }));
        let token = Signer::rsa().sign(&claims(&issuer));
        let result = login::<Oidc>(&verifier(Endpoints::default()), &config, &token).await;
        assert_eq!(result.is_ok(), good, "{name}");
        assert_eq!(peer.requests().len(), if good { 2 } else { 0 });
    }
}

#[test]
fn x1_x4_an_unsafe_provider_is_not_saved() {
    let of = |url: &str| {
        let settings = json!({ "oidcDiscoveryUrl": url, "boundIssuer": "https://i.test" });
        Oidc::configure(None, &serde_json::from_value(settings).unwrap(), &strict())
    };
    assert!(of("https://idp.example.com/realms/a/").is_ok());
    for url in [
        "",
        "idp.example.com",
        "http://idp.example.com",
        "https://127.0.0.1",
        "https://localhost",
        "https://10.0.0.1",
        "https://0x7f.1",
        "https://[::1]",
        "https://169.254.169.254/",
        "https://a:b@idp.example.com",
        "https://idp.example.com/\r\nX: y",
        "https://idp.example.com.",
        "https://idp.example.com:22",
        "ftp://idp.example.com",
        "https://idp.example.com/#x",
    ] {
        assert!(fields(of(url)).contains(&"oidcDiscoveryUrl".to_owned()), "{url:?}");
    }
    let good = json!({ "oidcDiscoveryUrl": "https://i.test", "boundIssuer": "https://i.test" });
    for (changes, field) in [
        (json!({ "caCert": "nonsense" }), "caCert"),
        (json!({ "boundIssuer": "" }), "boundIssuer"),
        (json!({ "boundIssuer": "a\r\nb" }), "boundIssuer"),
        (json!({ "boundSubject": "!a" }), "boundSubject"),
        (json!({ "boundClaims": { "": "a" } }), "boundClaims"),
        (json!({ "boundClaims": { "a": "" } }), "boundClaims"),
        (json!({ "boundClaims": { "a": " , " } }), "boundClaims"),
        (json!({ "boundClaims": { "a": "[!a]" } }), "boundClaims"),
        (json!({ "boundClaims": { "a": "{b,c}" } }), "boundClaims"),
        (json!({ "boundClaims": { "a": "b\n" , "c": "b\u{7}c" } }), "boundClaims"),
        (json!({ "boundClaims": { ("a".repeat(513)): "b" } }), "boundClaims"),
        (json!({ "boundClaims": { "a": vec!["b".repeat(500); 33].join(",") } }), "boundClaims"),
        (json!({ "boundAudiences": "{1..3}" }), "boundAudiences"),
        (json!({ "claimMetadataMapping": { "a": "" } }), "claimMetadataMapping"),
    ] {
        assert_eq!(fields(attach::<Oidc>(&changed(&good, &changes))), [field], "{changes}");
    }
}
