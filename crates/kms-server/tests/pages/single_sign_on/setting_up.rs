//! Setting a provider up: what is refused before anybody signs in by it.

use http::StatusCode;
use kms_api::routes as paths;
use serde_json::{Value, json};

use super::{
    house::House,
    provider::{Provider, SECRET},
};

/// What a refusal says about a field.
fn issue(answer: &kms_testkit::Answer) -> (String, String) {
    let issue = &answer.json()["message"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&issue["path"][0]), text(&issue["message"]))
}

#[tokio::test]
async fn a_provider_is_set_up_changed_and_read_without_its_secret() {
    let house = House::bare().await;
    let none = house.server.get(paths::OIDC_CONFIG).bearer(&house.ours.token).send().await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let made = house.set_up(&house.ours, house.config(&json!({}))).await.ok();
    assert_eq!(made["issuer"], house.provider.url());
    assert_eq!(made["clientSecret"], "********");
    assert_eq!(made["redirectURI"], "https://kms.example.com/login/sso/callback");
    let again = house.set_up(&house.ours, house.config(&json!({}))).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);

    let sent = json!({
        "allowedEmailDomains": " Corp.Example ,\tＣＯＲＰ.example, other.example",
        "clientSecret": "********",
        "clientId": "kms",
    });
    let changed = house.change(sent).await.ok();
    assert_eq!(changed["allowedEmailDomains"], "corp.example, other.example");
    // The mask changed nothing.
    house.ada().await;
    let read = house.server.get(paths::OIDC_CONFIG).bearer(&house.ours.token).send().await;
    assert!(!read.text().contains(SECRET));
    assert_eq!(read.json()["id"], made["id"]);
}

#[tokio::test]
async fn x1_a_provider_in_a_private_network_is_refused_when_it_is_saved() {
    let house = House::bare().await;
    for address in [
        "https://10.0.0.1",
        "https://192.168.1.1",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]",
        "https://[fd00::1]",
        "https://0x0a000001",
        "https://012.0.0.1",
        "https://167772161",
        "https://100.64.0.1",
        "http://example.com.",
    ] {
        let url = format!("{address}/.well-known/openid-configuration");
        for is_active in [true, false] {
            let changes = json!({ "discoveryURL": url, "isActive": is_active });
            let answer = house.set_up(&house.ours, house.config(&changes)).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
            let (field, reason) = issue(&answer);
            assert!(["discoveryURL", "issuer"].contains(&field.as_str()), "{field}");
            assert!(reason.starts_with("Must "), "{reason}");
            assert!(!answer.text().contains(address), "{}", answer.text());
        }
    }
}

/// What a document names counts no more than what is typed.
#[tokio::test]
async fn x1_a_document_does_not_lead_into_a_private_network() {
    let house = House::bare().await;
    for (key, field) in [
        ("jwks_uri", "jwksUri"),
        ("token_endpoint", "tokenEndpoint"),
        ("authorization_endpoint", "authorizationEndpoint"),
        ("userinfo_endpoint", "userinfoEndpoint"),
    ] {
        for url in ["https://10.0.0.1/", "http://192.0.2.1/", "file:///etc/passwd", "//x"] {
            house.provider.document(json!({ key: url }));
            let answer = house.set_up(&house.ours, house.config(&json!({}))).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{key} {url}");
            assert_eq!(issue(&answer).0, field, "{url}");
        }
    }
}

#[tokio::test]
async fn x2_the_servers_own_listeners_are_no_provider() {
    let house = House::bare().await;
    let own = house.server.listens_at();
    let changes =
        json!({ "discoveryURL": format!("http://{own}/.well-known/openid-configuration") });
    let answer = house.set_up(&house.ours, house.config(&changes)).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
}

#[tokio::test]
async fn x3_closed_open_and_silent_ports_read_the_same() {
    let house = House::bare().await;
    let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (open, closed) = {
        let at = closed.local_addr().unwrap();
        drop(closed);
        (open.local_addr().unwrap(), at)
    };
    let mut read = Vec::new();
    for address in [open, closed] {
        let url = format!("http://{address}/.well-known/openid-configuration");
        let answer = house.set_up(&house.ours, house.config(&json!({ "discoveryURL": url }))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        read.push(answer.without_request_id());
    }
    assert_eq!(read[0], read[1]);
}

#[tokio::test]
async fn x4_credentials_and_line_breaks_are_refused_when_they_are_saved() {
    let house = House::bare().await;
    let at = house.provider.url().replace("http://", "");
    for (field, value) in [
        ("discoveryURL", format!("http://user:secret@{at}/.well-known/openid-configuration")),
        ("discoveryURL", format!("http://{at}/\r\nX-Evil: 1/.well-known/openid-configuration")),
        ("issuer", format!("http://canary-secret@{at}")),
        ("issuer", format!("http://{at}/a b")),
        ("jwksUri", format!("http://{at}/keys#canary-secret")),
        ("tokenEndpoint", format!("http://{at}/to\tken")),
        ("authorizationEndpoint", "javascript:alert(1)".into()),
        ("clientId", "kms\r\nX-Evil: canary-secret".into()),
        ("clientId", "k\u{e4}se".into()),
        ("clientSecret", "canary-secret\n".to_owned() + "more"),
        ("clientSecret", String::new()),
        ("allowedEmailDomains", "corp.example\r\nX-Evil: 1".into()),
        ("allowedEmailDomains", "*.example".into()),
        ("allowedEmailDomains", "a@corp.example".into()),
    ] {
        let answer = house.set_up(&house.ours, house.config(&json!({ field: value }))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value:?}");
        assert_eq!(issue(&answer).0, field, "{value:?}");
        assert!(!answer.text().contains("canary-secret"), "{}", answer.text());
    }
}

#[tokio::test]
async fn j5_a_document_that_names_another_issuer_or_site_is_refused() {
    let house = House::bare().await;
    let other = Provider::start().await;
    for (document, field) in [
        (json!({ "issuer": other.url() }), "issuer"),
        (json!({ "issuer": null }), "issuer"),
        (json!({ "issuer": format!("{}/tenant", house.provider.url()) }), "issuer"),
        (json!({ "jwks_uri": "https://keys.example.com/" }), "jwksUri"),
        (json!({ "token_endpoint": "https://tokens.example.com/" }), "tokenEndpoint"),
        (json!({ "authorization_endpoint": "https://a.example.com/" }), "authorizationEndpoint"),
    ] {
        house.provider.document(document.clone());
        let answer = house.set_up(&house.ours, house.config(&json!({}))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{document}");
        assert_eq!(issue(&answer).0, field, "{document}");
    }
    // An address at another site counts once somebody named it.
    house.provider.document(json!({ "authorization_endpoint": "https://a.example.com/" }));
    let named = json!({ "authorizationEndpoint": "https://a.example.com/" });
    house.set_up(&house.ours, house.config(&named)).await.ok();
}

#[tokio::test]
async fn j1_no_shared_secret_signs_tokens() {
    let house = House::bare().await;
    for name in ["HS256", "HS384", "none", "RS512", "es256", ""] {
        let changes = json!({ "jwtSignatureAlgorithm": name });
        let answer = house.set_up(&house.ours, house.config(&changes)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert_eq!(issue(&answer).0, "jwtSignatureAlgorithm");
    }
}

#[tokio::test]
async fn administrators_alone_set_a_provider_up_and_for_their_root_alone() {
    let house = House::new().await;
    let theirs = json!({ "organizationId": house.theirs.made.organization.id });
    let answer = house.set_up(&house.ours, house.config(&theirs)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let ada = house.ada().await;
    drop(ada);
    let (email, password) = house.administrator();
    let token = house.log_in(&email, &password).await;
    let body = json!({ "organizationId": house.ours.made.organization.id });
    let acting = house.server.post(paths::SELECT_ORGANIZATION).bearer(&token).json(body);
    let acting = acting.send().await.ok()["token"].as_str().unwrap().to_owned();
    house.server.get(paths::OIDC_CONFIG).bearer(&acting).send().await.ok();
    let body = json!({ "name": "team" });
    let made = house.server.post(paths::SUB_ORGANIZATIONS).bearer(&acting).json(body).send().await;
    let sub = made.ok()["organization"]["id"].as_str().unwrap().to_owned();
    let inside = house.select(&token, &sub).await.ok()["token"].as_str().unwrap().to_owned();
    let answer = house.server.post(paths::OIDC_CONFIG).bearer(&inside);
    let answer = answer.json(house.config(&json!({}))).send().await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
}
