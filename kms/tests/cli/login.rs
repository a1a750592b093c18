//! `kms login` with universal auth.

use serde_json::json;

use crate::support::{CANARY, Ran, Reply, Server, kms, run};

fn token() -> Reply {
    Reply::json(
        200,
        json!({
            "accessToken": "the.access.token",
            "expiresIn": 7_200,
            "accessTokenMaxTTL": 2_592_000,
            "tokenType": "Bearer",
        }),
    )
}

fn login(server: &Server, args: &[&str]) -> Ran {
    run(kms()
        .args(["login", "--method=universal-auth"])
        .args(args)
        .env("INFISICAL_API_URL", server.url())
        .env("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "id-of-env")
        .env("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", " secret-of-env \n"))
}

#[test]
fn proof_is_posted_as_the_contract_says() {
    let server = Server::start([token()]);
    login(&server, &["--plain"]).ends_with(0);
    let request = server.request();
    assert_eq!(request.method, "POST");
    assert_eq!(request.target, "/api/v1/auth/universal-auth/login");
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("authorization"), None);
    let agent = request.header("user-agent").unwrap();
    assert!(agent.starts_with("kms-cli/"), "{agent}");
    assert_eq!(request.json(), json!({ "clientId": "id-of-env", "clientSecret": "secret-of-env" }));
}

#[test]
fn flags_beat_the_environment_and_the_organization_is_sent() {
    let server = Server::start([token()]);
    let args = ["--client-id=i", "--client-secret=s", "--organization-slug=team2"];
    login(&server, &args).ends_with(0);
    assert_eq!(
        server.request().json(),
        json!({ "clientId": "i", "clientSecret": "s", "organizationSlug": "team2" })
    );
}

#[test]
fn an_empty_flag_falls_through_to_the_environment() {
    let server = Server::start([token()]);
    login(&server, &["--client-id=", "--client-secret="]).ends_with(0);
    assert_eq!(server.request().json()["clientId"], "id-of-env");
}

#[test]
fn organization_comes_from_the_environment_too() {
    let server = Server::start([token()]);
    run(kms()
        .args(["login", "--method=universal-auth", "--client-id=i"])
        .arg("--client-secret=s")
        .env("KMS_DOMAIN", server.url())
        .env("INFISICAL_AUTH_ORGANIZATION_SLUG", "team3"))
    .ends_with(0);
    assert_eq!(server.request().json()["organizationSlug"], "team3");
}

#[test]
fn plain_and_silent_print_the_token_and_nothing_else() {
    let server = Server::start([token()]);
    let args = ["--plain", "--silent", "--client-secret=s"];
    let ran = login(&server, &args).ends_with(0);
    assert_eq!(ran.stdout, "the.access.token\n");
    assert_eq!(ran.stderr, "");
}

#[test]
fn without_plain_stdout_is_still_the_token_alone() {
    let server = Server::start([token()]);
    let ran = login(&server, &[]).ends_with(0);
    assert_eq!(ran.stdout, "the.access.token\n");
    ran.says("Successfully authenticated with universal auth")
        .says("expires in 2 hours and can be renewed for 30 days")
        .says("export INFISICAL_TOKEN=$(kms login");
}

#[test]
fn go_style_boolean_flags_are_understood() {
    let server = Server::start([token()]);
    let ran = login(&server, &["--plain=true", "--silent=true"]).ends_with(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("the.access.token\n", ""));
}

#[test]
fn missing_inputs_are_named_with_flag_and_variables() {
    let command = || {
        let mut command = kms();
        command.args(["login", "--method=universal-auth", "--silent"]);
        command
    };
    run(&mut command())
        .ends_with(2)
        .says("`--client-id` and `--client-secret` are missing")
        .says("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID")
        .says("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET");
    run(command().arg("--client-id=i"))
        .ends_with(2)
        .says("error: `--client-secret` is missing")
        .says("KMS_UNIVERSAL_AUTH_CLIENT_SECRET");
    run(command().env("KMS_UNIVERSAL_AUTH_CLIENT_SECRET", CANARY))
        .ends_with(2)
        .says("error: `--client-id` is missing")
        .says("KMS_UNIVERSAL_AUTH_CLIENT_ID");
}

#[test]
fn l10_a_secret_in_an_argument_is_warned_about_unless_silent() {
    let server = Server::start([token(), token()]);
    login(&server, &["--plain", "--client-secret=s"])
        .ends_with(0)
        .says("warning: `--client-secret` shows in the process list");
    let silent = login(&server, &["--silent", "--client-secret=s"]).ends_with(0);
    assert_eq!(silent.stderr, "");
}

#[test]
fn secret_comes_from_standard_input_or_a_file() {
    let server = Server::start([token(), token()]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "of-file\n").unwrap();
    let command = || {
        let mut command = kms();
        command.args(["login", "--method=universal-auth", "--client-id=i"]);
        command.env("KMS_DOMAIN", server.url());
        command
    };
    let ran = run(command().arg("--client-secret-stdin").write_stdin("of-stdin\r\n"));
    assert!(!ran.ends_with(0).stderr.contains("process list"));
    run(command().arg("--client-secret-file").arg(&file)).ends_with(0);
    let sent: Vec<_> = server.requests().iter().map(|r| r.json()["clientSecret"].clone()).collect();
    assert_eq!(sent, ["of-stdin", "of-file"]);
}

#[test]
fn a_secret_from_two_places_is_a_usage_error() {
    run(kms().args(["login", "--client-secret=s", "--client-secret-stdin"])).ends_with(2);
}

#[test]
fn wrong_credentials_end_with_3_and_name_the_server() {
    for status in [401, 403] {
        let server = Server::start([Reply::error(status, "Invalid credentials")]);
        let ran = login(&server, &["--silent", "--plain"]).ends_with(3);
        assert_eq!(ran.stdout, "");
        ran.says("error: unable to authenticate with `universal-auth`")
            .says("Invalid credentials (request req-1)")
            .says(&server.url());
    }
}

#[test]
fn a_method_that_does_not_exist_is_answered_with_those_that_do() {
    run(kms().args(["login", "--method=ldap-auth"])).ends_with(2).says("universal-auth");
}
