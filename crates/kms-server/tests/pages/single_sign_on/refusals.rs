//! What a browser brings back and is sent away with.

use http::StatusCode;
use kms_api::routes as paths;
use serde_json::{Value, json};

use super::{
    house::{ADA, House, leads_to},
    provider::CLIENT,
};

const COOKIE: &str = "__Host-kms_page";

#[tokio::test]
async fn somebody_of_an_allowed_domain_joins_and_is_led_on() {
    let house = House::new().await;
    let visit = house.browser();
    let form = visit.get("/login/sso?organization=dev&continue=%2Fdevice").await;
    assert_eq!(form.status, StatusCode::OK);
    let location = house.begin(&visit, house.slug()).await;
    let claims = json!({ "sub": "ada", "email": "ADA@Corp.Example ", "family_name": "L" });
    let answer = visit.get(&house.provider.sign_in(&location, house.now(), &claims)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(leads_to(&answer), "/device");
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let page = cookies.iter().find(|cookie| cookie.to_str().unwrap().starts_with(COOKIE));
    assert!(page.unwrap().to_str().unwrap().contains("SameSite=Strict"));
    // The second time the account is known by its subject, whatever the address is by then.
    let claims = json!({ "sub": "ada", "email": "ada.new@corp.example" });
    let again = house.come_back(&house.browser(), &claims).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text());
    let path = paths::ORGANIZATION_MEMBERSHIPS;
    let path = path.replace("{organizationId}", &house.ours.made.organization.id.to_string());
    let members = house.server.get(&path).bearer(&house.ours.token).send().await.ok();
    let names: Vec<_> =
        members["users"].as_array().unwrap().iter().map(|user| &user["user"]["username"]).collect();
    assert_eq!(names, ["dev@localhost", ADA], "one account");
}

/// The state is good in the browser that began, once, for ten minutes.
#[tokio::test]
async fn h7_an_answer_counts_in_the_browser_that_asked_and_nowhere_else() {
    let house = House::new().await;
    let claims = json!({ "sub": "mallory", "email": "mallory@corp.example" });
    let mallory = house.browser();
    let location = house.begin(&mallory, house.slug()).await;
    let back = house.provider.sign_in(&location, house.now(), &claims);

    let victim = house.browser();
    let answer = victim.get(&back).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(victim.cookie(COOKIE), None);
    // Nor where the victim has a sign-in of their own under way.
    house.begin(&victim, house.slug()).await;
    assert_eq!(victim.get(&back).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(victim.cookie(COOKIE), None);
    // Mallory's own still counts, once.
    assert_eq!(mallory.get(&back).await.status, StatusCode::OK);
    assert_eq!(mallory.get(&back).await.status, StatusCode::BAD_REQUEST);

    for address in
        ["/login/sso/callback", "/login/sso/callback?state=", "/login/sso/callback?code=x"]
    {
        assert_eq!(victim.get(address).await.status, StatusCode::BAD_REQUEST, "{address}");
    }
    let late = house.browser();
    let location = house.begin(&late, house.slug()).await;
    house.server.clock.advance(600);
    let back = house.provider.sign_in(&location, house.now(), &claims);
    assert_eq!(late.get(&back).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn h7_the_cookie_of_a_sign_in_is_of_this_host_and_short_lived() {
    let house = House::new().await;
    let fields = [("organization", house.slug())];
    let answer = house.browser().submit(paths::LOGIN_SSO, &fields).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-kms_sso_"), "{cookie}");
    for part in ["; HttpOnly", "; Path=/", "; SameSite=Lax", "; Secure", "; Max-Age=600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let location = leads_to(&answer);
    let state = location.split("state=").nth(1).unwrap().split('&').next().unwrap();
    assert!(!cookie.contains(state), "the state can be read from the cookie");
}

#[tokio::test]
async fn a_code_is_good_once_even_with_another_sign_in() {
    let house = House::new().await;
    let claims = json!({ "sub": "ada", "email": ADA });
    let first = house.browser();
    let location = house.begin(&first, house.slug()).await;
    let back = house.provider.sign_in(&location, house.now(), &claims);
    assert_eq!(first.get(&back).await.status, StatusCode::OK);
    // The code of before, with a state that is good: the provider does not take it again.
    let second = house.browser();
    let location = house.begin(&second, house.slug()).await;
    let state = location.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let replayed = format!("/login/sso/callback?code={code}&state={state}");
    let answer = second.get(&replayed).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("used already"), "{}", answer.text());
    assert_eq!(house.reasons().await, ["code"]);
}

/// Every claim that somebody could have changed, and what the log says about it.
#[tokio::test]
async fn j4_j5_what_a_token_says_is_held_to_the_letter() {
    let house = House::new().await;
    let now = house.now();
    let url = house.provider.url().to_owned();
    let cases: Vec<(Value, Option<&str>)> = vec![
        (json!({ "iss": format!("{url}/") }), Some("issuer")),
        (json!({ "iss": "https://evil.example" }), Some("issuer")),
        (json!({ "iss": null }), Some("form")),
        (json!({ "aud": null }), Some("form")),
        (json!({ "aud": "" }), Some("audience")),
        (json!({ "aud": "kmsx" }), Some("audience")),
        (json!({ "aud": "kmskms" }), Some("audience")),
        (json!({ "aud": 7 }), Some("form")),
        (json!({ "aud": [CLIENT] }), None),
        (json!({ "aud": ["x", CLIENT] }), Some("audience")),
        (json!({ "aud": ["x", CLIENT], "azp": CLIENT }), None),
        (json!({ "aud": ["x", CLIENT], "azp": "x" }), Some("audience")),
        (json!({ "azp": "x" }), Some("audience")),
        (json!({ "azp": CLIENT }), None),
        (json!({ "nonce": "another" }), Some("nonce")),
        (json!({ "nonce": null }), Some("nonce")),
        (json!({ "exp": null }), Some("form")),
        (json!({ "exp": now - 61 }), Some("time")),
        (json!({ "exp": now - 59 }), None),
        (json!({ "iat": now + 61 }), Some("time")),
        (json!({ "iat": now + 59 }), None),
        (json!({ "iat": now - 3_600 }), Some("time")),
        (json!({ "nbf": now + 61 }), Some("time")),
        (json!({ "sub": "" }), Some("subject")),
        (json!({ "sub": null }), Some("form")),
        (json!({ "email": null }), Some("no-address")),
        (json!({ "email": "no address" }), Some("address")),
        (json!({ "email_verified": false }), Some("unverified-address")),
        (json!({ "email_verified": null }), Some("unverified-address")),
        (json!({ "email": "ada@elsewhere.example" }), Some("domain")),
        (json!({ "email": "ada@corp.example.evil.test" }), Some("domain")),
        (json!({ "email": "ada@sub.corp.example" }), Some("domain")),
        (json!({ "email": "ada@evilcorp.example" }), Some("domain")),
    ];
    let mut expected = Vec::new();
    for (nth, (changes, refusal)) in cases.into_iter().enumerate() {
        let mut claims =
            json!({ "sub": format!("s{nth}"), "email": format!("p{nth}@corp.example") });
        for (name, change) in changes.as_object().unwrap() {
            claims[name] = change.clone();
        }
        let visit = house.browser();
        let answer = house.come_back(&visit, &claims).await;
        assert_eq!(answer.status == StatusCode::OK, refusal.is_none(), "{changes}");
        assert_eq!(visit.cookie(COOKIE).is_some(), refusal.is_none(), "{changes}");
        expected.extend(refusal);
    }
    let mut reasons = house.reasons().await;
    reasons.reverse();
    assert_eq!(reasons, expected);
}

#[tokio::test]
async fn j1_j2_j3_no_header_changes_how_a_token_is_believed() {
    let house = House::new().await;
    let bait = super::provider::Provider::start().await;
    let bait_keys = format!("{}/keys", bait.url());
    let mut sent = 0;
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "None" }),
        json!({ "alg": "NONE" }),
        json!({ "alg": "" }),
        json!({ "alg": null }),
        json!({ "alg": ["ES256"] }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "HS512" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "ES384" }),
        json!({ "alg": "es256" }),
        json!({ "kid": "two" }),
        json!({ "kid": "../one" }),
        json!({ "kid": "one' OR '1'='1" }),
        json!({ "kid": bait_keys }),
        json!({ "kid": "two", "jku": bait_keys }),
        json!({ "kid": "two", "x5u": bait_keys }),
        json!({ "kid": "two", "jwk": { "kty": "oct", "k": "AAAA" } }),
        json!({ "kid": "two", "x5c": ["MIIB"] }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "cty": "JWT" }),
    ] {
        house.provider.header(header.clone());
        let visit = house.browser();
        let claims = json!({ "sub": "ada", "email": ADA });
        let answer = house.come_back(&visit, &claims).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{header}");
        assert_eq!(visit.cookie(COOKIE), None, "{header}");
        sent += 1;
    }
    assert_eq!(house.reasons().await.len(), sent);
    assert_eq!(bait.asked_for_keys(), 0);
    // Keys that are brought along are not even looked at.
    house.provider.header(json!({ "jku": bait_keys, "jwk": { "kty": "oct", "k": "AAAA" } }));
    house.ada().await;
    assert_eq!(bait.asked_for_keys(), 0);
}

#[tokio::test]
async fn j9_unknown_keys_do_not_make_the_server_ask_again_and_again() {
    let house = House::new().await;
    house.ada().await;
    let before = house.provider.asked_for_keys();
    house.server.clock.advance(60);
    for nth in 0..20 {
        house.provider.header(json!({ "kid": format!("random-{nth}") }));
        house.come_back(&house.browser(), &json!({ "sub": "a", "email": ADA })).await;
    }
    assert_eq!(house.provider.asked_for_keys(), before + 1);
}

#[tokio::test]
async fn h2_aliases_of_an_address_are_one_account() {
    let house = House::new().await;
    house.ada().await;
    for (nth, email) in
        ["ADA@CORP.EXAMPLE", " ada@corp.example", "ａｄａ@corp.example", "ada@Corp.ＥXAMPLE"]
            .into_iter()
            .enumerate()
    {
        // Another subject of the same address is not let into the account.
        let claims = json!({ "sub": format!("other-{nth}"), "email": email });
        let visit = house.browser();
        let answer = house.come_back(&visit, &claims).await;
        assert_eq!(leads_to(&answer), "/login/sso/connect", "{email}");
        assert_eq!(visit.cookie(COOKIE), None, "{email}");
    }
}

#[tokio::test]
async fn a_provider_that_is_off_or_down_says_so_on_a_page() {
    let house = House::new().await;
    let visit = house.browser();
    let location = house.begin(&visit, house.slug()).await;
    let claims = json!({ "sub": "ada", "email": ADA });
    let back = house.provider.sign_in(&location, house.now(), &claims);
    house.change(json!({ "isActive": false })).await.ok();
    let answer = visit.get(&back).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("does not use single sign-on any more"), "{}", answer.text());
    assert_eq!(house.reasons().await, ["disabled"]);
    house.change(json!({ "isActive": true })).await.ok();

    let refused = house.browser();
    let location = house.begin(&refused, house.slug()).await;
    let state = location.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let back = format!(
        "/login/sso/callback?error=access_denied&error_description=%3Cscript%3E&state={state}"
    );
    let answer = refused.get(&back).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(!answer.text().contains("script"), "{}", answer.text());

    let other = json!({ "tokenEndpoint": "http://127.0.0.1:9/token" });
    house.change(other).await.ok();
    let answer = house.come_back(&house.browser(), &claims).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{}", answer.text());
    assert!(answer.text().contains("does not answer"), "{}", answer.text());
}

/// An unknown name, an organization without a provider, one that is off, and an address whose
/// domain is nobody's read the same.
#[tokio::test]
async fn h1_the_form_does_not_tell_who_there_is() {
    let house = House::new().await;
    let ask = async |named: &str| {
        let answer = house.browser().submit(paths::LOGIN_SSO, &[("organization", named)]).await;
        (answer.status, answer.text().replace(&format!("value=\"{named}\""), ""))
    };
    let theirs = house.theirs.made.organization.slug.clone();
    let unknown = ask("nowhere").await;
    assert_eq!(unknown.0, StatusCode::NOT_FOUND);
    for named in [theirs.as_str(), "dev@localhost", "nobody@nowhere.example", "theirs@localhost"] {
        assert_eq!(ask(named).await, unknown, "{named}");
    }
    // An address is looked at by its domain alone.
    for named in ["ada@corp.example", "nobody@corp.example"] {
        assert_eq!(ask(named).await.0, StatusCode::OK, "{named}");
    }
    // A domain that two organizations claim names neither.
    house.set_up(&house.theirs, house.config(&json!({}))).await.ok();
    assert_eq!(ask("ada@corp.example").await, ask("ada@nowhere.example").await);
    house.change(json!({ "isActive": false })).await.ok();
    let slug = house.slug().to_owned();
    assert_eq!(ask(&slug).await, unknown);
}
