//! Confirming what a command line asks for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use kms_api::routes as paths;
use kms_testkit::Answer;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::visit::{House, SITE, Visit, unescaped};

pub(crate) const VERIFIER: &str = "a-verifier-of-43-characters-that-nobody-knows";
const HERE: &str = "http://127.0.0.1:50123/5f1d";
const FORM: &str = "application/x-www-form-urlencoded";

/// The address that a program opens, with some parameters in the place of its own.
fn asking(changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", "kms-cli"),
        ("redirect_uri", HERE),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("state", "st4te"),
        ("host", "laptop"),
    ];
    fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    fields.extend(changes);
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("{}?{query}", paths::OAUTH_AUTHORIZE)
}

/// Where the form of a page leads.
fn action(page: &Answer) -> String {
    let (_, rest) = page.text().split_once("<form method=\"post\" action=\"").expect("a form");
    unescaped(rest.split('"').next().unwrap())
}

/// The parameters of an address that a browser is sent to.
fn told(answer: &Answer, address: &str) -> Vec<(String, String)> {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let location = answer.header("location");
    let query = location.strip_prefix(&format!("{address}?")).expect(location);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

impl House {
    async fn decide(&self, visit: &Visit<'_>, page: &Answer, decision: &str) -> Answer {
        let organization = self.organization();
        let fields = [("organization", organization.as_str()), ("decision", decision)];
        visit.submit(&action(page), &fields).await
    }

    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.server.post(paths::OAUTH_TOKEN).body(FORM, body).send().await
    }

    async fn trade(&self, code: &str, redirect_uri: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", "kms-cli"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    /// What the person's own client does, in their organization.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let credentials = json!({ "email": self.email(), "password": self.password() });
        let login = self.server.post(paths::USER_LOGIN).json(credentials).send().await.ok();
        let organization = json!({ "organizationId": self.organization() });
        let bearer = |token: &Value| token.as_str().unwrap().to_owned();
        let selected = self.server.post(paths::SELECT_ORGANIZATION).json(organization);
        let selected = selected.bearer(&bearer(&login["accessToken"])).send().await.ok();
        let request = self.server.call(method, path).bearer(&bearer(&selected["token"]));
        request.json(body).send().await.ok()
    }

    /// The organization asks for a code of an app from now on.
    pub(crate) async fn ask_for_apps(&self) {
        let path = format!("/api/v1/organization/{}", self.organization());
        let body = json!({ "enforceMfa": true, "selectedMfaMethod": "totp" });
        self.call(Method::PATCH, &path, body).await;
    }

    async fn sessions(&self) -> usize {
        let list = self.call(Method::GET, paths::USERS_ME_SESSIONS, json!({})).await;
        list.as_array().unwrap().len()
    }
}

#[tokio::test]
async fn a_program_is_logged_in_by_one_click() {
    let house = House::new().await;
    let stranger = house.browser();
    let answer = stranger.get(&asking(&[])).await;
    assert!(answer.header("location").starts_with("/login?continue=%2Foauth%2Fauthorize%3F"));
    let login = stranger.follow(answer).await;
    assert!(login.text().contains("to go on in the terminal that sent you here"));
    let target = crate::visit::inputs(login.text())[0].1.clone();
    let answer = stranger.log_in(&house.email(), &house.password(), &target).await;
    let page = stranger.follow(answer).await;
    assert_eq!(page.status, StatusCode::OK);
    for told in [&house.email(), "laptop", "127.0.0.1:50123", "kms", "2026-01-05T09:00:00"] {
        assert!(page.text().contains(told), "{told}: {}", page.text());
    }
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("; form-action 'self' http://127.0.0.1:50123"), "{policy}");
    let answer = house.decide(&stranger, &page, "confirm").await;
    let fields = told(&answer, HERE);
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert_eq!((fields[1].1.as_str(), fields[2].1.as_str()), ("st4te", SITE));
    let answer = house.trade(&fields[0].1, HERE).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    let tokens = answer.ok();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(tokens["session"]["email"], house.email());
    assert_eq!(tokens["session"]["organization"]["id"], house.organization());
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        house.server.get(paths::PROJECTS).bearer(access).send().await.status,
        StatusCode::OK
    );
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let renewed = house.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    assert_eq!(renewed.ok()["expires_in"], 900);
    assert_eq!(house.trade(&fields[0].1, HERE).await.json()["error"], "invalid_grant");
    let again = house.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    assert_eq!(again.json()["error"], "invalid_grant", "the session is over for everybody");
}

#[tokio::test]
async fn l1_a_link_alone_logs_nothing_in() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let before = house.sessions().await;
    let organization = house.organization();
    for more in [
        vec![],
        vec![("decision", "confirm")],
        vec![("decision", "confirm"), ("organization", organization.as_str())],
        vec![("organization_id", organization.as_str()), ("prompt", "none")],
    ] {
        let answer = visit.get(&asking(&more)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert!(answer.text().contains("Log in your terminal?"));
        assert!(!answer.text().contains("code="), "{}", answer.text());
    }
    assert_eq!(house.sessions().await, before + 1, "the one that this question is asked with");
    let page = visit.get(&asking(&[])).await;
    let fields = [("organization", organization.as_str()), ("decision", "confirm")];
    for origin in ["https://evil.example", "null", "http://127.0.0.1:50123"] {
        let request = visit.form(&action(&page), &fields).header("origin", origin);
        let answer = visit.send(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
        assert!(answer.header("location").is_empty());
    }
    let answer = house.decide(&visit, &page, "maybe").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn who_denies_sends_the_program_away_without_a_code() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let page = visit.get(&asking(&[])).await;
    let fields = told(&house.decide(&visit, &page, "deny").await, HERE);
    let expected = [("error", "access_denied"), ("state", "st4te"), ("iss", SITE)];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn l1_nobody_is_sent_to_an_address_that_is_not_to_be_believed() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    for (name, value) in [
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "http://localhost:50123/"),
        ("redirect_uri", "http://127.0.0.1:50123@evil.example/"),
        ("redirect_uri", "http://127.0.0.1:50123/\" onload=\"alert(1)"),
        ("redirect_uri", "javascript:alert(1)"),
        ("redirect_uri", ""),
        ("client_id", "evil"),
        ("client_id", ""),
    ] {
        // Errors that would be told are not told there either.
        for more in [("state", "st4te"), ("response_type", "token")] {
            let path = asking(&[(name, value), more]);
            let fields = [("organization", &*house.organization()), ("decision", "confirm")];
            for answer in [visit.get(&path).await, visit.submit(&path, &fields).await] {
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name} {value}");
                assert!(answer.header("location").is_empty(), "{name} {value}");
                assert!(!answer.text().contains("evil") && !answer.text().contains("alert("));
                let policy = answer.header("content-security-policy");
                assert!(policy.ends_with("form-action 'self'"), "{policy}");
            }
        }
    }
    let answer = visit.get(&asking(&[("code_challenge_method", "plain")])).await;
    let fields = told(&answer, HERE);
    assert_eq!(fields[0], ("error".into(), "invalid_request".into()));
}

/// Attack L4: what anybody may write into an address is shown as text, or not at all.
#[tokio::test]
async fn l4_nothing_of_an_address_becomes_part_of_a_page() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let stranger = house.browser();
    let corpus = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style><script>alert(1)</script>",
        "{{7*7}}{% raw %}",
        "javascript:alert(1)",
        "&#60;script&#62;alert(1)",
        "\u{202e}gnp.exe<b>",
    ];
    for text in corpus {
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let mut pages = vec![asking(&[("host", text), ("state", text)])];
        pages.push(asking(&[("organization_id", text)]));
        pages.push(asking(&[("response_type", text)]));
        for name in ["code", "error", "error_description", "state", "iss"] {
            pages.push(format!("{}?{name}={encoded}", paths::OAUTH_CODE));
            pages.push(format!("{}?error=x&{name}2={encoded}", paths::OAUTH_CODE));
        }
        pages.push(format!("/login/cli?callback_port={encoded}"));
        pages.push(format!("/login?callback_port={encoded}&error={encoded}&continue={encoded}"));
        for path in pages {
            for browser in [&visit, &stranger] {
                let answer = browser.get(&path).await;
                let page = answer.text();
                for raw in ["<script>alert", "<img src=x", "<b>", "mouseover='", "\"javascript:"] {
                    assert!(!page.contains(raw), "{path}: {page}");
                }
                assert!(!page.contains(text) || !text.contains(['<', '"', '\'']), "{path}: {page}");
                assert!(!page.contains('\u{202e}'), "{path}");
                assert!(!answer.header("location").contains(['<', '"', '\'']), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn l4_the_page_with_the_code_shows_a_code_and_nothing_else() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let own_page = format!("{SITE}{}", paths::OAUTH_CODE);
    let page = visit.get(&asking(&[("redirect_uri", &own_page)])).await;
    assert!(page.text().contains("a page with a code for you to paste"));
    let answer = house.decide(&visit, &page, "confirm").await;
    let code = told(&answer, &own_page)[0].1.clone();
    let shown = house.browser().get(&answer.header("location")[SITE.len()..]).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.text().contains(&code) && !shown.text().contains("st4te"));
    assert_eq!(shown.header("refresh"), "60; url=/oauth/code");
    for other in [
        "?code=short",
        &format!("?code={code}0"),
        &format!("?code={code}&error=server_error"),
        "?error=access_denied&error_description=call+555-1234",
        "",
    ] {
        let shown = visit.get(&format!("{}{other}", paths::OAUTH_CODE)).await;
        assert_eq!(shown.status, StatusCode::OK);
        let text = shown.text();
        assert!(
            !text.contains(&code) && !text.contains("555") && !text.contains("short"),
            "{text}"
        );
    }
    assert_eq!(house.trade(&code, &own_page).await.ok()["token_type"], "Bearer");
}

#[tokio::test]
async fn an_organization_is_chosen_where_there_are_more() {
    let house = House::new().await;
    let body = json!({ "name": "team" });
    let made = house.call(Method::POST, paths::SUB_ORGANIZATIONS, body).await;
    let team = made["organization"]["id"].as_str().unwrap().to_owned();
    let visit = house.signed_in().await;
    let page = visit.get(&asking(&[])).await;
    assert!(page.text().contains("Choose an organization"), "{}", page.text());
    for id in [&team, &house.organization()] {
        assert!(page.text().contains(&format!("value=\"{id}\"")), "{}", page.text());
    }
    let mut fields = crate::visit::inputs(page.text());
    fields.retain(|(name, _)| name != "organization_id");
    fields.push(("organization_id".into(), team.clone()));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let page = visit.get(&format!("{}?{query}", paths::OAUTH_AUTHORIZE)).await;
    assert!(page.text().contains("team in "), "{}", page.text());
    let decision = [("organization", team.as_str()), ("decision", "confirm")];
    let answer = visit.submit(&action(&page), &decision).await;
    let tokens = house.trade(&told(&answer, HERE)[0].1, HERE).await.ok();
    assert_eq!(tokens["session"]["organization"]["id"], house.organization());
    assert_eq!(tokens["session"]["sub_organization"]["id"], team.as_str());
}

#[tokio::test]
async fn t1_an_organization_of_others_is_neither_shown_nor_confirmed() {
    let house = House::new().await;
    let theirs = house.server.seed_another("Theirs-7").await.made.organization.id.to_string();
    let visit = house.signed_in().await;
    let nowhere = "0198c0de-0000-7000-8000-000000000000";
    let mut pages = Vec::new();
    for id in [theirs.as_str(), nowhere] {
        let page = visit.get(&asking(&[("organization_id", id)])).await;
        assert!(page.text().contains("You are no member"), "{}", page.text());
        pages.push(page.text().replace(id, ""));
        let page = visit.get(&asking(&[])).await;
        let fields = [("organization", id), ("decision", "confirm")];
        let answer = visit.submit(&action(&page), &fields).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text());
        pages.push(answer.text().replace(id, ""));
    }
    assert_eq!((&pages[0], &pages[1]), (&pages[2], &pages[3]));
    assert!(pages.iter().all(|page| !page.to_lowercase().contains("theirs-7")));
}

/// Attack H5: no page of a program's login is a way around the second factor.
#[tokio::test]
async fn h5_a_second_factor_comes_before_the_confirmation() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let page = visit.get(&asking(&[])).await;
    house.ask_for_apps().await;
    for path in [asking(&[]), "/login/cli?callback_port=50123".to_owned()] {
        let answer = visit.get(&path).await;
        let location = answer.header("location");
        assert!(location.starts_with("/login/factor?organization="), "{location}");
        let path = path.split('?').next().unwrap().replace('/', "%2F");
        assert!(location.contains(&format!("&continue={path}%3F")), "{location}");
    }
    let answer = house.decide(&visit, &page, "confirm").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    assert!(answer.header("location").is_empty());
    let organization = house.organization();
    let fields = [("organization", organization.as_str()), ("callback_port", "50123")];
    let answer = visit.submit("/login/cli", &fields).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
}
