//! Setting the instance up.

use http::StatusCode;
use kms_api::routes as paths;
use kms_testkit::TestServer;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Instance, PASSWORD, fields, sorted};

fn bootstrap() -> Value {
    json!({"email": "Ada@Example.test", "password": PASSWORD, "organization": "Acme",
           "domain": "http://localhost:8080/api"})
}

#[tokio::test]
async fn bootstrap_answers_what_the_command_line_prints() {
    let server = TestServer::start().await;
    let before = server.get(paths::ADMIN_CONFIG).send().await.ok();
    assert_eq!(before["config"]["initialized"], false);
    let made = server.post(paths::ADMIN_BOOTSTRAP).header("host", "127.0.0.1:8080");
    let made = made.json(bootstrap()).send().await.ok();
    assert_eq!(fields(&made), sorted("message identity organization user"));
    assert_eq!(fields(&made["identity"]), sorted("id name credentials"));
    assert_eq!(fields(&made["identity"]["credentials"]), ["token"]);
    assert_eq!(fields(&made["organization"]), sorted("id name slug"));
    assert_eq!(fields(&made["user"]), sorted("id username email firstName lastName superAdmin"));
    assert_eq!(made["user"]["email"], "ada@example.test");
    let after = server.get(paths::ADMIN_CONFIG).send().await.ok();
    assert_eq!(after["config"]["initialized"], true);
    let known = sorted(
        "id initialized allowSignUp allowedSignUpDomain instanceId trustSamlEmails trustLdapEmails
         trustOidcEmails defaultAuthOrgId defaultAuthOrgSlug enabledLoginMethods
         isMigrationModeOn isSecretScanningDisabled fipsEnabled",
    );
    assert_eq!(fields(&after["config"]), known);
    let again = server.post(paths::ADMIN_BOOTSTRAP).header("host", "127.0.0.1:8080");
    let again = again.json(bootstrap()).send().await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert_eq!(again.json()["message"], "Instance has already been set up");
    server.stop().await;
}

#[tokio::test]
async fn h12_only_the_machine_itself_sets_up_without_the_token() {
    let server = TestServer::start().await;
    let request = || server.post(paths::ADMIN_BOOTSTRAP).json(bootstrap());
    for refused in [
        request().header("host", "localhost").from("192.0.2.1:1234"),
        request().header("host", "localhost").header("x-forwarded-for", "127.0.0.1"),
        request().header("host", "localhost").header("forwarded", "for=127.0.0.1"),
        request().header("host", "localhost").header("origin", "http://localhost:8080"),
        request().header("host", "rebound.example"),
        request()
            .header("host", "localhost")
            .from("192.0.2.1:1234")
            .header("x-kms-setup-token", "x"),
    ] {
        let answer = refused.send().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    }
    let token = server.core().setup_token().await.unwrap().unwrap();
    let allowed = request().from("192.0.2.1:1234");
    allowed.header("x-kms-setup-token", token.expose_secret()).send().await.ok();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h12_of_many_parallel_bootstraps_exactly_one_succeeds() {
    let server = TestServer::start().await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let request = server.post(paths::ADMIN_BOOTSTRAP).header("host", "localhost");
        requests.spawn(request.json(bootstrap()).send());
    }
    let answers = requests.join_all().await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(made.len(), 1);
    for refused in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text());
    }
    let token = &made[0].json()["identity"]["credentials"]["token"];
    let list = server.get(paths::IDENTITIES).bearer(token.as_str().unwrap()).send().await.ok();
    assert_eq!(list["totalCount"], 1, "nothing is left of the others");
    server.stop().await;
}

#[tokio::test]
async fn the_first_administrator_signs_up_with_the_token_in_the_body() {
    let server = TestServer::start().await;
    let body = json!({"email": "ada@example.test", "password": PASSWORD, "firstName": "Ada"});
    let refused = server.post(paths::ADMIN_SIGNUP).header("host", "localhost").json(body.clone());
    assert_eq!(refused.send().await.status, StatusCode::FORBIDDEN);
    let token = server.core().setup_token().await.unwrap().unwrap();
    let mut with_token = body;
    with_token["setupToken"] = token.expose_secret().into();
    let made = server.post(paths::ADMIN_SIGNUP).json(with_token).send().await.ok();
    assert_eq!(fields(&made), sorted("message user organization token new"));
    assert_eq!(made["organization"]["name"], "Admin Org");
    let bearer = made["token"].as_str().unwrap();
    let list = server.get(paths::ORGANIZATIONS).bearer(bearer).send().await.ok();
    assert_eq!(list["organizations"][0]["id"], made["organization"]["id"]);
    server.stop().await;
}

#[tokio::test]
async fn bodies_that_break_a_rule_name_the_field_and_not_the_value() {
    let server = TestServer::start().await;
    for (field, value) in
        [("email", json!("nobody")), ("password", json!("short77")), ("organization", json!(""))]
    {
        let mut body = bootstrap();
        body[field] = value.clone();
        let answer = server.post(paths::ADMIN_BOOTSTRAP).header("host", "localhost").json(body);
        let answer = answer.send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.json()["message"][0]["path"], json!([field]));
        assert!(value == "" || !answer.text().contains(value.as_str().unwrap()));
    }
    server.stop().await;
}

#[tokio::test]
async fn the_bootstrap_token_is_no_users_token() {
    let instance = Instance::start().await;
    for route in [
        paths::ORGANIZATIONS.to_owned(),
        super::path(paths::ORGANIZATION, &[&instance.organization]),
    ] {
        let answer = instance.get(&route).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.json()["error"], format!("Forbidden access to {route}"));
    }
    instance.server.stop().await;
}
