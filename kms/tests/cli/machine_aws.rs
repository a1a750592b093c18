//! `kms login --method=aws-iam`: what is signed, checked as AWS would.

use std::time::{SystemTime, UNIX_EPOCH};

use assert_cmd::Command;
use serde_json::Value;

use crate::{
    machine::{IDENTITY, granted, login, proof_of},
    signed::Signed,
    support::{Server, run},
};

const ROUTE: &str = "/api/v1/auth/aws-auth/login";
pub(crate) const KEY_ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "canary-7c1e9a/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const SESSION: &str = "canary-7c1e9a-session==";

/// A login with nothing of AWS but what the test adds: no files, and no instance.
pub(crate) fn aws(server: &Server) -> Command {
    let mut command = login("aws-iam", server);
    command.env("AWS_CONFIG_FILE", "/nowhere/config");
    command.env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Who signed, for the region, with a session token or without: checked as AWS does.
#[track_caller]
pub(crate) fn check(proof: &Value, server: &Server, region: &str, session: Option<&str>) {
    assert_eq!(proof["identityId"], IDENTITY);
    assert_eq!(proof["iamHttpRequestMethod"], "POST");
    let request = Signed::of_proof(proof);
    assert_eq!(request.body, b"Action=GetCallerIdentity&Version=2011-06-15");
    let (scope, names, signature) = request.authorization();
    let [key_id, scope @ ..] = &scope[..] else { panic!("{scope:?}") };
    assert_eq!(*key_id, KEY_ID);
    assert_eq!(scope[1..], [region, "sts", "aws4_request"]);
    let date = &request.headers["x-amz-date"];
    assert_eq!(&date[..8], scope[0]);
    assert!(seconds_since(date) < 60, "{date}");
    assert_eq!(signature, request.signature(SECRET, scope, &names), "the signature is wrong");

    let mut expected = vec!["content-length", "content-type", "host", "x-amz-date"];
    expected.extend(session.map(|_| "x-amz-security-token"));
    expected.push("x-kms-server");
    assert_eq!(names, expected, "everything that is sent is signed");
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    assert_eq!(header("x-amz-security-token"), session);
    assert_eq!(header("content-length"), Some("43"));
    assert_eq!(header("x-kms-server"), Some(server.url().as_str()));
    let others: Vec<_> =
        request.headers.keys().filter(|name| !names.contains(&name.as_str())).collect();
    assert_eq!(others, ["authorization"]);
}

/// Seconds since a time of AWS's form, `20260102T030405Z`; the day must be today's in UTC.
fn seconds_since(date: &str) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let part = |range: std::ops::Range<usize>| date[range].parse::<u64>().unwrap();
    let (hour, minute, second) = (part(9..11), part(11..13), part(13..15));
    // Midnight may have passed in between.
    (now % 86_400 + 86_400 - (hour * 3_600 + minute * 60 + second)) % 86_400
}

#[track_caller]
pub(crate) fn sign(command: &mut Command, server: &Server) -> Value {
    proof_of(run(command), server, ROUTE)
}

#[test]
fn credentials_of_the_environment_sign_a_request_for_this_server_alone() {
    let server = Server::start([granted()]);
    let mut command = aws(&server);
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    let proof = sign(command.env("AWS_REGION", "eu-central-1"), &server);
    check(&proof, &server, "eu-central-1", None);
    assert_eq!(Signed::of_proof(&proof).headers["host"], "sts.eu-central-1.amazonaws.com");
}

#[test]
fn a_session_token_is_part_of_what_is_signed() {
    let server = Server::start([granted()]);
    let mut command = aws(&server);
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env("AWS_SESSION_TOKEN", SESSION).env("AWS_DEFAULT_REGION", "us-east-1");
    check(&sign(&mut command, &server), &server, "us-east-1", Some(SESSION));
}

#[test]
fn c1_the_host_that_is_signed_is_the_one_of_sts_in_the_region() {
    for (region, host) in [
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu"),
    ] {
        let server = Server::start([granted()]);
        let mut command = aws(&server);
        command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        let proof = sign(command.env("AWS_REGION", region), &server);
        assert_eq!(Signed::of_proof(&proof).headers["host"], host);
    }
}

#[test]
fn a_region_that_nobody_names_is_asked_for() {
    let server = Server::start([]);
    let mut command = aws(&server);
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    run(&mut command)
        .ends_with(1)
        .says("could not get the region of AWS")
        .says("neither `AWS_REGION` nor the profile nor the instance names it");
    assert!(server.requests().is_empty());
}

#[test]
fn names_of_the_headers_are_those_of_the_compatible_client() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    let server = Server::start([granted()]);
    let mut command = aws(&server);
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env("AWS_SESSION_TOKEN", SESSION).env("AWS_REGION", "us-east-1");
    let proof = sign(&mut command, &server);
    let headers = STANDARD.decode(proof["iamRequestHeaders"].as_str().unwrap()).unwrap();
    let headers: Value = serde_json::from_slice(&headers).unwrap();
    let names: Vec<_> = headers.as_object().unwrap().keys().collect();
    let mut expected = [
        "Authorization",
        "Content-Length",
        "Content-Type",
        "Host",
        "X-Amz-Date",
        "X-Amz-Security-Token",
        "x-kms-server",
    ];
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(headers["Content-Type"], "application/x-www-form-urlencoded; charset=utf-8");
}
