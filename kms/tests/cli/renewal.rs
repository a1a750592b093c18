//! Access tokens end, and nobody notices.

use serde_json::json;

use crate::{
    kept::{at, ended_login, list, log_in, login_then, projects, refreshed, short},
    support::{CANARY, Home, Reply, Server, people::ORGANIZATION, run},
};

#[test]
fn an_ended_access_token_is_renewed_in_silence_and_its_successor_kept() {
    let home = Home::new();
    let server = Server::start(ended_login(Some("first")).into_iter().chain([
        refreshed(&short(3_600, "b"), Some("second")),
        projects(),
        projects(),
    ]));
    log_in(&home, &server, ORGANIZATION);
    let ran = list(&home).ends_with(0);
    assert_eq!(ran.stderr, "", "renewing is no news");
    list(&home).ends_with(0);
    let requests = server.requests();
    assert_eq!(requests[3].target, "/api/v1/auth/token");
    assert_eq!(requests[3].header("cookie"), Some("jid=first"));
    assert_eq!(requests[3].header("authorization"), None);
    let bearer = format!("Bearer {}", short(3_600, "b"));
    for request in &requests[4..] {
        assert_eq!(request.header("authorization"), Some(bearer.as_str()));
    }
    assert_eq!(requests.len(), 6);
}

#[test]
fn a_compatible_server_that_does_not_rotate_is_asked_with_the_same_refresh_token() {
    let home = Home::new();
    let server = Server::start(ended_login(Some("only")).into_iter().chain([
        refreshed(&short(0, "b"), None),
        projects(),
        refreshed(&short(0, "c"), None),
        projects(),
    ]));
    log_in(&home, &server, ORGANIZATION);
    list(&home).ends_with(0);
    list(&home).ends_with(0);
    for at in [3, 5] {
        assert_eq!(server.requests()[at].header("cookie"), Some("jid=only"));
    }
}

#[test]
fn a_token_that_the_server_does_not_take_is_renewed_once() {
    let ended = json!({
        "reqId": "req-1", "statusCode": 403, "error": "TokenError",
        "message": "Your token has expired. Please re-authenticate.",
    });
    for refusal in [Reply::error(401, "revoked"), Reply::json(403, ended)] {
        let home = Home::new();
        let server = Server::start(login_then([
            refusal,
            refreshed(&short(3_600, "b"), Some("third")),
            projects(),
        ]));
        log_in(&home, &server, ORGANIZATION);
        list(&home).ends_with(0);
        let requests = server.requests();
        assert_eq!(requests[4].header("cookie"), Some("jid=canary-7c1e9a-second"));
        let bearer = format!("Bearer {}", short(3_600, "b"));
        assert_eq!(requests[5].header("authorization"), Some(bearer.as_str()));
        assert_eq!(requests.len(), 6);
    }
}

#[test]
fn what_is_not_allowed_is_no_reason_to_renew() {
    let home = Home::new();
    let server = Server::start(login_then([Reply::error(403, "You are not allowed")]));
    log_in(&home, &server, ORGANIZATION);
    list(&home).ends_with(3).says("You are not allowed");
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_session_that_is_over_is_one_sentence_and_exit_code_3() {
    for (jid, answer) in [
        (Some("first"), Some(Reply::error(401, "Refresh token reuse detected"))),
        (Some("first"), Some(Reply::error(404, "no session"))),
        (None, None),
    ] {
        let home = Home::new();
        let server = Server::start(ended_login(jid).into_iter().chain(answer));
        log_in(&home, &server, ORGANIZATION);
        let before = server.requests().len();
        let ran = list(&home).ends_with(3);
        let sentence = format!("the session on `{}` has ended", server.url());
        assert_eq!(ran.stderr.matches(&sentence).count(), 1, "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
        let asked = server.requests().len() - before;
        assert_eq!(asked, usize::from(jid.is_some()));
        ran.says(&format!("kms login --domain {}", server.url()));
    }
}

#[test]
fn l12_no_token_shows_where_none_was_asked_for() {
    let home = Home::new();
    let server = Server::start(ended_login(Some("canary-7c1e9a-jid")).into_iter().chain([
        refreshed(&short(3_600, "b"), Some("canary-7c1e9a-next")),
        projects(),
        Reply::error(401, "no"),
        Reply::error(401, "no"),
        Reply::json(200, json!({})),
    ]));
    log_in(&home, &server, ORGANIZATION);
    for args in
        [&["projects", "list"][..], &["projects", "list"], &["user"], &["vault"], &["logout"]]
    {
        let ran = run(at(&home).args(args).args(["--log-level=trace"]));
        assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "{}", ran.stderr);
    }
}
