//! The login of older compatible servers. `conformance/node/srp.test.js` has the published server
//! half check the proof; here it is what is sent, and when.

use serde_json::{Value, json};

use crate::support::{
    CANARY, Ran, Reply, Server, kms,
    people::{EMAIL, ORGANIZATION, PASSWORD, organizations, selected, token, verified},
    run,
};

fn legacy() -> Reply {
    let body = json!({
        "reqId": "req-1", "statusCode": 400, "error": "LegacyEncryptionScheme",
        "message": "Legacy encryption scheme not supported",
    });
    Reply::json(400, body)
}

/// A server key that a login may go on with.
fn hello() -> Reply {
    let key = format!("7b{}", "20".repeat(511));
    Reply::json(200, json!({ "serverPublicKey": key, "salt": "00112233" }))
}

fn welcome(second_factor: bool) -> Reply {
    let body = json!({
        "mfaEnabled": second_factor, "token": "srp.token.canary-7c1e9a", "encryptionVersion": 2,
        "encryptedPrivateKey": "x", "iv": "x", "tag": "x", "protectedKey": null,
    });
    Reply::json(200, body).with("set-cookie", "jid=canary-7c1e9a-srp; Path=/; HttpOnly")
}

fn login(server: &Server, args: &[&str]) -> Ran {
    run(kms()
        .args(["login", "--plain", "--silent", "--domain", &server.url()])
        .args(args)
        .env("INFISICAL_EMAIL", EMAIL)
        .env("INFISICAL_PASSWORD", PASSWORD)
        .env("INFISICAL_ORGANIZATION_ID", ORGANIZATION))
}

fn bodies(server: &Server, target: &str) -> Vec<Value> {
    let requests = server.requests();
    requests.iter().filter(|r| r.target == target).map(crate::support::Request::json).collect()
}

#[test]
fn a_server_of_the_old_scheme_gets_a_proof_and_no_password() {
    let server =
        Server::start([legacy(), hello(), welcome(false), selected(ORGANIZATION), organizations()]);
    let ran = login(&server, &[]).ends_with(0);
    assert_eq!(ran.stdout, token(ORGANIZATION) + "\n");
    let start = &bodies(&server, "/api/v3/auth/login1")[0];
    assert_eq!(start["email"], EMAIL);
    let key = start["clientPublicKey"].as_str().unwrap();
    assert!(
        key.len() == 1024 && key.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
    );
    let proof = &bodies(&server, "/api/v3/auth/login2")[0];
    assert_eq!(proof["clientProof"].as_str().unwrap().len(), 64);
    assert_eq!(proof.as_object().unwrap().len(), 2, "e-mail address and proof: {proof}");
    let select = &server.requests()[3];
    assert_eq!(select.header("authorization"), Some("Bearer srp.token.canary-7c1e9a"));
}

#[test]
fn a_server_that_insists_gets_the_password_too() {
    let issue = json!([{ "code": "invalid_type", "path": ["password"], "message": "Required" }]);
    let body = json!({ "statusCode": 422, "error": "ValidationFailure", "message": issue });
    let insists = Reply::json(422, body);
    let server = Server::start([
        legacy(),
        hello(),
        insists,
        welcome(false),
        selected(ORGANIZATION),
        organizations(),
    ]);
    login(&server, &[]).ends_with(0);
    let proofs = bodies(&server, "/api/v3/auth/login2");
    assert_eq!((&proofs[0]["password"], &proofs[1]["password"]), (&Value::Null, &json!(PASSWORD)));
    assert_eq!(proofs[0]["clientProof"], proofs[1]["clientProof"]);
}

#[test]
fn a_refused_proof_is_final() {
    let server = Server::start([legacy(), hello(), Reply::error(500, "Failed to authenticate")]);
    let ran = login(&server, &[]).ends_with(1);
    assert_eq!(ran.stdout, "");
    ran.says("Failed to authenticate");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn no_other_refusal_leads_to_the_old_scheme() {
    for status in [400, 401, 403, 404, 422, 500, 503] {
        let server = Server::start([Reply::error(status, "Legacy encryption scheme")]);
        assert_ne!(login(&server, &[]).code, 0);
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[test]
fn a_server_key_that_could_tell_the_password_gets_no_proof() {
    for key in ["00".repeat(512), "ff".repeat(512), String::new(), "zz".into()] {
        let hello = Reply::json(200, json!({ "serverPublicKey": key, "salt": "00" }));
        let server = Server::start([legacy(), hello]);
        let ran = login(&server, &[]).ends_with(1);
        assert!(!ran.stderr.contains(CANARY));
        ran.says("does not understand").says("public key");
        assert_eq!(server.requests().len(), 2);
    }
}

#[test]
fn a_second_factor_right_after_the_password_is_given() {
    let server = Server::start([
        legacy(),
        hello(),
        welcome(true),
        verified(),
        selected(ORGANIZATION),
        organizations(),
    ]);
    login(&server, &["--mfa-code=123456"]).ends_with(0);
    let verify = &server.requests()[3];
    assert_eq!(verify.target, "/api/v2/auth/mfa/verify");
    assert_eq!(verify.header("authorization"), Some("Bearer srp.token.canary-7c1e9a"));
    let select = &server.requests()[4];
    assert_eq!(select.header("authorization"), Some("Bearer verified.token.canary-7c1e9a"));
}
