//! `kms login --method=oidc-auth`: a token that is given, or that the CI system gives.

use assert_cmd::Command;
use serde_json::json;

use crate::{
    machine::{JWT, granted, login, proof_of},
    support::{CANARY, Reply, Server, run},
};

const ROUTE: &str = "/api/v1/auth/oidc-auth/login";

fn jwt(arrange: impl Fn(&mut Command)) -> String {
    let server = Server::start([granted()]);
    let mut command = login("oidc-auth", &server);
    arrange(&mut command);
    proof_of(run(&mut command), &server, ROUTE)["jwt"].as_str().unwrap().to_owned()
}

#[test]
fn flags_beat_variables_and_new_spellings_beat_old_ones() {
    let all = |command: &mut Command| {
        command.env("INFISICAL_JWT", "of.jwt.variable");
        command.env("INFISICAL_OIDC_AUTH_JWT", "of.deprecated.variable");
        command.env("CIRCLE_OIDC_TOKEN", "of.the.ci");
    };
    let with = |flags: &[&str]| {
        jwt(|command| {
            all(command);
            command.args(flags);
        })
    };
    assert_eq!(with(&["--jwt=of.jwt.flag", "--oidc-jwt=of.oidc.flag"]), "of.jwt.flag");
    assert_eq!(with(&["--oidc-jwt=of.oidc.flag"]), "of.oidc.flag");
    assert_eq!(with(&["--jwt=", "--oidc-jwt=of.oidc.flag"]), "of.oidc.flag");
    assert_eq!(with(&[]), "of.jwt.variable");
    let without = |names: &[&str]| {
        jwt(|command| {
            all(command);
            for name in names {
                command.env(name, " ");
            }
        })
    };
    assert_eq!(without(&["INFISICAL_JWT"]), "of.deprecated.variable");
    assert_eq!(without(&["INFISICAL_JWT", "INFISICAL_OIDC_AUTH_JWT"]), "of.the.ci");
}

#[test]
fn ci_systems_that_leave_a_token_in_a_variable_need_no_flag() {
    for name in ["CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN", "BITBUCKET_STEP_OIDC_TOKEN"] {
        let token = jwt(|command| {
            command.env(name, JWT);
        });
        assert_eq!(token, JWT, "{name}");
    }
    let better = jwt(|command| {
        command.env("CIRCLE_OIDC_TOKEN", "old").env("CIRCLE_OIDC_TOKEN_V2", "new");
    });
    assert_eq!(better, "new");
}

#[test]
fn old_spellings_say_so() {
    let server = Server::start([granted()]);
    let mut command = crate::support::kms();
    command.args(["login", "--method=oidc-auth", "--oidc-jwt", JWT]);
    command.args(["--machine-identity-id", crate::machine::IDENTITY]);
    run(command.env("KMS_DOMAIN", server.url()))
        .ends_with(0)
        .says("warning: `--oidc-jwt` is deprecated; use `--jwt`")
        .says("warning: `--oidc-jwt` shows in the process list");
}

/// Sets up a job of GitHub Actions that may ask for tokens.
fn in_github(command: &mut Command, endpoint: &Server) {
    // The address that jobs are given has a query already.
    let url = format!("{}/abc/_apis/job/idtoken?api-version=2.0", endpoint.url());
    command.env("GITHUB_ACTIONS", "true");
    command.env("ACTIONS_ID_TOKEN_REQUEST_URL", url);
    command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CANARY);
}

#[test]
fn github_actions_is_asked_once_for_a_token_with_the_audience() {
    for audience in [None, Some("https://kms.example.com/a?b&c")] {
        let endpoint = Server::start([Reply::json(200, json!({ "count": 1, "value": JWT }))]);
        let token = jwt(|command| {
            in_github(command, &endpoint);
            if let Some(audience) = audience {
                command.args(["--oidc-audience", audience]);
            }
        });
        assert_eq!(token, JWT);
        let request = endpoint.request();
        assert_eq!(request.method, "GET");
        assert_eq!(request.header("authorization"), Some("Bearer canary-7c1e9a"));
        assert_eq!(request.header("accept"), Some("application/json; api-version=2.0"));
        let expected = match audience {
            Some(_) => "&audience=https%3A%2F%2Fkms.example.com%2Fa%3Fb%26c",
            None => "",
        };
        let target = format!("/abc/_apis/job/idtoken?api-version=2.0{expected}");
        assert_eq!(request.target, target);
    }
}

#[test]
fn a_token_at_hand_asks_nobody() {
    let endpoint = Server::start([]);
    let token = jwt(|command| {
        in_github(command, &endpoint);
        command.env("INFISICAL_JWT", "at.hand.already");
    });
    assert_eq!(token, "at.hand.already");
    assert!(endpoint.requests().is_empty());
}

#[test]
fn a_busy_endpoint_is_asked_again_and_one_that_refuses_is_not() {
    let ready = || Reply::json(200, json!({ "value": JWT }));
    for busy in [429, 500, 503] {
        let endpoint = Server::start([Reply::error(busy, "wait"), ready()]);
        assert_eq!(jwt(|command| in_github(command, &endpoint)), JWT);
        assert_eq!(endpoint.requests().len(), 2);
    }
    let endpoint =
        Server::start([Reply::json(403, json!({ "message": "no id-token permission" }))]);
    let server = Server::start([]);
    let mut command = login("oidc-auth", &server);
    in_github(&mut command, &endpoint);
    run(&mut command)
        .ends_with(1)
        .says("could not get an ID token of GitHub Actions")
        .says("status 403, no id-token permission");
    assert_eq!((endpoint.requests().len(), server.requests().len()), (1, 0));
}

#[test]
fn l9_the_request_token_goes_nowhere_without_encryption() {
    let server = Server::start([]);
    let mut command = login("oidc-auth", &server);
    command.env("ACTIONS_ID_TOKEN_REQUEST_URL", "http://actions.example.com/token");
    command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CANARY);
    let ran = run(&mut command).ends_with(1);
    assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
    ran.says("refusing to ask `http://actions.example.com` without encryption");
}

#[test]
fn a_job_without_permission_is_told_which() {
    let server = Server::start([]);
    run(login("oidc-auth", &server).env("GITHUB_ACTIONS", "true"))
        .ends_with(2)
        .says("`--jwt` is missing")
        .says("permissions: id-token: write");
}

#[test]
fn what_is_no_answer_is_not_repeated() {
    for reply in [
        Reply::json(200, json!({ "value": "canary-7c1e9a two" })),
        Reply::json(200, json!({ "other": CANARY })),
        Reply::json(200, json!({ "value": { "nested": CANARY } })),
        Reply::text(200, "text/html", CANARY),
    ] {
        let endpoint = Server::start([reply]);
        let server = Server::start([]);
        let mut command = login("oidc-auth", &server);
        in_github(&mut command, &endpoint);
        let ran = run(&mut command).ends_with(1);
        assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
        assert!(server.requests().is_empty());
    }
}
