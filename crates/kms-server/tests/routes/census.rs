//! Which routes there are, and that each asks who is there.

use http::StatusCode;
use kms_server::route::Route;
use kms_testkit::TestServer;

use crate::filled;

/// A value that no parameter of a path refuses.
const SOME_ID: &str = "00000000-0000-7000-8000-000000000000";

fn guarded() -> Vec<Route> {
    kms_server::routes().into_iter().filter(|route| !route.info.access.is_public()).collect()
}

#[test]
fn d3_the_routes_without_a_token_are_these_and_no_others() {
    let mut public: Vec<_> = kms_server::routes()
        .into_iter()
        .filter(|route| route.info.access.is_public())
        .map(|route| format!("{} {}", route.method, route.info.path))
        .collect();
    public.sort();
    insta::assert_snapshot!(public.join("\n"), @r"
    GET /.well-known/oauth-authorization-server
    GET /api/docs/json
    GET /api/status
    GET /api/v1/admin/config
    POST /api/v1/account-recovery/send-email
    POST /api/v1/account-recovery/verify-email
    POST /api/v1/admin/bootstrap
    POST /api/v1/admin/signup
    POST /api/v1/auth/aws-auth/login
    POST /api/v1/auth/azure-auth/login
    POST /api/v1/auth/gcp-auth/login
    POST /api/v1/auth/jwt-auth/login
    POST /api/v1/auth/kubernetes-auth/login
    POST /api/v1/auth/logout
    POST /api/v1/auth/oidc-auth/login
    POST /api/v1/auth/token
    POST /api/v1/auth/token/renew
    POST /api/v1/auth/token/revoke
    POST /api/v1/auth/universal-auth/login
    POST /api/v1/invite-org/verify
    POST /api/v3/auth/login
    POST /api/v3/auth/login1
    POST /api/v3/auth/login2
    POST /api/v3/signup/email/signup
    POST /api/v3/signup/email/verify
    POST /oauth/device
    POST /oauth/token
    ");
}

#[test]
fn every_route_stands_once_in_the_table() {
    let mut seen = std::collections::HashSet::new();
    for route in kms_server::routes() {
        assert!(seen.insert((route.method.clone(), route.info.path)), "{}", route.info.path);
    }
}

#[tokio::test]
async fn d3_every_other_route_answers_nobody() {
    let server = TestServer::start().await;
    for route in guarded() {
        let path = filled(route.info.path, SOME_ID);
        let name = format!("{} {path}", route.method);
        let answer = server.call(route.method.clone(), &path).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(answer.json()["message"], "Token missing", "{name}");
        let answer = server.call(route.method.clone(), &path).bearer("nonsense").send().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
        assert_eq!(answer.json()["error"], "TokenError", "{name}");
    }
    server.stop().await;
}

/// Who is asking is decided by the route that was matched, never by what a URL looks like.
#[tokio::test]
async fn t5_nothing_in_a_url_opens_a_route() {
    let server = TestServer::start().await;
    let tricks = [
        "?/api/v1/auth/universal-auth/login",
        "?path=/api/status",
        "?a=/api/v1/admin/bootstrap&b=/api/v1/auth/token/renew",
        "?token=x&access_token=x&authorization=Bearer%20x",
        "?%2Fapi%2Fstatus",
        "/?/api/status",
        "?x=#/api/status",
    ];
    for route in guarded() {
        for trick in tricks {
            let path = filled(route.info.path, SOME_ID) + trick;
            let answer = server.call(route.method.clone(), &path).send().await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {path}", route.method);
        }
    }
    server.stop().await;
}

/// Two credentials are none: a proxy in front might have looked at the other one.
#[tokio::test]
async fn two_authorization_headers_are_no_token() {
    let server = TestServer::start().await;
    let path = kms_api::routes::PROJECTS;
    let answer = server.get(path).bearer("a").bearer("b").send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    server.stop().await;
}
