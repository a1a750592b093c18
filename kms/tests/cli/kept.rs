//! Somebody whose logins are kept, and what a server answers them.

use assert_cmd::Command;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::support::{
    CANARY, Home, Ran, Reply, Server, kms,
    people::{EMAIL, ORGANIZATION, PASSWORD, direct, organizations, welcome},
    run,
};

/// A command of somebody with a home.
pub(crate) fn at(home: &Home) -> Command {
    let mut command = kms();
    command.envs(home.environment());
    command
}

pub(crate) fn log_in(home: &Home, server: &Server, organization: &str) {
    run(at(home)
        .args(["login", "--silent", "--email", EMAIL, "--organization-id", organization])
        .args(["--domain", &server.url()])
        .env("KMS_PASSWORD", PASSWORD))
    .ends_with(0);
}

/// What a login is answered, then what follows.
pub(crate) fn login_then(replies: impl IntoIterator<Item = Reply>) -> Vec<Reply> {
    direct().into_iter().chain(replies).collect()
}

pub(crate) fn projects() -> Reply {
    Reply::json(200, json!({ "projects": [] }))
}

pub(crate) fn list(home: &Home) -> Ran {
    run(at(home).args(["projects", "list", "--output=json"]))
}

/// An access token that lives this long, in seconds.
pub(crate) fn short(life: i64, mark: &str) -> String {
    let claims = json!({
        "authTokenType": "accessToken",
        "userId": "0192d0a4-8f9c-7c6e-9f0a-00000000000a",
        "organizationId": ORGANIZATION,
        "iat": 1_700_000_000,
        "exp": 1_700_000_000 + life,
        "mark": mark,
    });
    format!("eyJhbGciOiJIUzI1NiJ9.{}.{CANARY}", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A login whose access token has ended at once.
pub(crate) fn ended_login(jid: Option<&str>) -> Vec<Reply> {
    let selected = Reply::json(200, json!({ "token": short(0, "a"), "isMfaEnabled": false }));
    let selected = match jid {
        Some(jid) => selected.with("set-cookie", &format!("jid={jid}; Path=/; HttpOnly")),
        None => selected,
    };
    let welcome = match jid {
        Some(_) => welcome(),
        None => Reply::json(200, json!({ "accessToken": "login.token.canary-7c1e9a" })),
    };
    vec![welcome, selected, organizations()]
}

pub(crate) fn refreshed(token: &str, jid: Option<&str>) -> Reply {
    let reply = Reply::json(200, json!({ "token": token }));
    match jid {
        Some(jid) => reply.with("set-cookie", &format!("jid={jid}; Path=/; HttpOnly")),
        None => reply,
    }
}
