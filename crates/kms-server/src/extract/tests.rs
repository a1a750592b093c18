//! What bodies, forms and queries are refused for, and what the refusal says.

use std::fmt::Write as _;

use http::StatusCode;
use kms_api::{
    auth::universal::{CreateClientSecret, Settings},
    secrets::{BatchBody, CreateSecret, ListSecretsQuery},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{issues, json, query};
use crate::ApiError;

/// Stands where a secret stands in a wrong body; no answer may show it.
const CANARY: &str = "canary-5f1c";

fn body<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    json::check(text.as_bytes())?;
    issues::json(text.as_bytes())
}

/// The status and message of a refusal.
fn refusal<T>(result: Result<T, ApiError>) -> (u16, Value) {
    let Err(error) = result else { panic!("it was accepted") };
    let body = error.body("req", "POST", "/");
    let text = serde_json::to_string(&body).unwrap();
    assert!(!text.contains(CANARY), "{text}");
    (error.status().as_u16(), body.message)
}

/// The path and message of the one issue of a refusal.
fn issue<T>(result: Result<T, ApiError>) -> (String, String) {
    let (status, message) = refusal(result);
    assert_eq!(status, 422, "{message}");
    let path: Vec<_> = message[0]["path"].as_array().unwrap().iter().map(plain).collect();
    (path.join("."), plain(&message[0]["message"]))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn d6_an_issue_names_the_field_and_never_the_value() {
    for (sent, field) in [
        (json!({ "numUsesLimit": CANARY }), "numUsesLimit"),
        (json!({ "ttl": [CANARY] }), "ttl"),
        (json!({ "description": { CANARY: 1 } }), "description"),
        (json!({ "description": null, "ttl": 0 }), "description"),
    ] {
        assert_eq!(issue(body::<CreateClientSecret>(&sent.to_string())).0, field, "{sent}");
    }
}

/// Flattened parts read through a buffer that forgets where it was.
#[test]
fn d6_a_field_of_a_flattened_part_is_named_too() {
    for (sent, field) in [
        (json!({ "secretValue": { "a": CANARY }, "environment": "dev" }), "secretValue"),
        (json!({ "tagIds": [CANARY] }), "tagIds"),
        (json!({ "projectId": [CANARY] }), "projectId"),
        (json!({ "skipMultilineEncoding": CANARY }), "skipMultilineEncoding"),
    ] {
        assert_eq!(issue(body::<CreateSecret>(&sent.to_string())).0, field, "{sent}");
    }
    let sent = json!({ "lockoutThreshold": 3, "accessTokenTTL": CANARY });
    assert_eq!(issue(body::<Settings>(&sent.to_string())).0, "accessTokenTTL");
    let sent = json!({ "secrets": [{ "secretKey": "A" }, { "secretKey": [CANARY] }] });
    assert!(issue(body::<BatchBody>(&sent.to_string())).0.starts_with("secrets"));
}

#[test]
fn a_missing_field_is_required() {
    let found = issue(body::<BatchBody>("{}"));
    assert_eq!(found, ("secrets".into(), "Required".into()));
    let found = issue(body::<BatchBody>(r#"{"secrets":[{"secretValue":"x"}]}"#));
    assert!(found.0.starts_with("secrets"), "{found:?}");
}

#[test]
fn d6_a_value_that_looks_like_a_message_is_not_shown() {
    for text in [
        format!("x, expected {CANARY}"),
        format!("expected {CANARY}"),
        format!("missing field `{CANARY}`"),
        format!("{CANARY} at line 1 column 1"),
    ] {
        let sent = json!({ "ttl": text }).to_string();
        assert_eq!(issue(body::<CreateClientSecret>(&sent)).0, "ttl");
        let query = format!("recursive={}", text.replace(' ', "+").replace('`', "%60"));
        assert_eq!(issue(query::form::<ListSecretsQuery>(query.as_bytes())).0, "recursive");
    }
}

#[test]
fn t8_names_that_are_sent_twice_are_refused_at_any_depth() {
    for (sent, path) in [
        (r#"{"ttl":1,"ttl":2}"#, "ttl"),
        (r#"{"x":{"y":[0,{"z":1,"z":1}]}}"#, "x.y.1.z"),
        (r#"{"a":1,"\u0061":2}"#, "a"),
    ] {
        let found = issue(body::<CreateClientSecret>(sent));
        assert_eq!(found, (path.into(), "Sent more than once".into()));
    }
    let found = issue(query::form::<ListSecretsQuery>(b"environment=dev&environment=prod"));
    assert_eq!(found, ("environment".into(), "Sent more than once".into()));
    let found = issue(query::form::<ListSecretsQuery>(b"recursive=true&%72ecursive=false"));
    assert_eq!(found.0, "recursive");
}

#[test]
fn t8_only_an_object_is_a_body() {
    for sent in ["[]", "[\"a\",1,2]", "null", "1", "\"{}\"", "true"] {
        let found = issue(body::<CreateClientSecret>(sent));
        assert_eq!(found, (String::new(), "Expected an object".into()), "{sent}");
    }
}

#[test]
fn t8_unknown_fields_are_ignored() {
    let sent = r#"{"ttl":5,"id":"x","role":"admin","isAdmin":true,"orgId":1}"#;
    assert_eq!(body::<CreateClientSecret>(sent).unwrap().ttl, 5);
}

#[test]
fn broken_json_is_refused_without_saying_where() {
    for sent in
        ["{", "{\"a\":}", "{\"ttl\":01}", "{} {}", "{\"a\":\"\u{1}\"}", "\u{feff}{}", "{'a':1}"]
    {
        let (status, message) = refusal(body::<CreateClientSecret>(sent));
        assert_eq!((status, message), (400, "The body is not valid JSON".into()), "{sent}");
    }
    let (status, _) = refusal({
        let bytes = b"{\"description\":\"\xff\"}";
        json::check(bytes).and_then(|()| issues::json::<CreateClientSecret>(bytes))
    });
    assert_eq!(status, 400);
}

#[test]
fn d1_bombs_of_depth_and_number_are_refused_before_they_are_read() {
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(json::check(deep(60).as_bytes()).is_ok());
    let nested = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let wide = format!("{{\"a\":[{}1]}}", "1,".repeat(100_000));
    let mut names = String::from("{");
    (0..60_000).for_each(|n| write!(names, "\"{n}\":0,").unwrap());
    names.push_str("\"end\":0}");
    for bomb in [deep(65), deep(1_000_000), nested, wide, names] {
        let (status, _) = refusal(json::check(bomb.as_bytes()));
        assert_eq!(status, 400);
    }
}

#[test]
fn queries_take_the_spellings_of_every_client() {
    let read = |text: &str| query::form::<ListSecretsQuery>(text.as_bytes()).unwrap();
    let found = read("workspaceId=&environment=dev&recursive=True&include_imports=false");
    assert_eq!(found.environment.as_deref(), Some("dev"));
    assert!(found.recursive.unwrap().0);
    assert!(!found.include_imports.unwrap().0);
    assert_eq!(read("secretPath=%2Fa%20b+c").secret_path.as_deref(), Some("/a b c"));
    let status = query::form::<ListSecretsQuery>(b"a=%").err().unwrap().status();
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
