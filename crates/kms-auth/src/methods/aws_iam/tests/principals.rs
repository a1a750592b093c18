//! C2 and C3: what STS answers, and who is let in.

use super::*;

#[test]
fn c2_an_answer_in_xml_has_one_form() {
    let xml = |namespace: &str, inside: &str| {
        format!(
            "<GetCallerIdentityResponse xmlns=\"{namespace}\"><GetCallerIdentityResult>{inside}\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId>\
             </ResponseMetadata></GetCallerIdentityResponse>"
        )
    };
    let namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
    let inside = "<Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId>\
                  <Account>123456789012</Account>";
    let good = xml(namespace, inside);
    let read = |text: &str| CallerIdentity::read(text.as_bytes());
    let expected = CallerIdentity {
        account: ACCOUNT.into(),
        arn: format!("arn:aws:iam::{ACCOUNT}:user/a"),
        user_id: "A".into(),
    };
    assert_eq!(read(&good), Some(expected.clone()));
    assert_eq!(read(&format!("<?xml version=\"1.0\"?>\n{good}\n")), Some(expected.clone()));
    for text in [
        String::new(),
        "<html/>".into(),
        xml("https://sts.amazonaws.com.evil.test/", inside),
        xml("", inside),
        good.replace(" xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"", ""),
        good.replace("<Arn>", "<Arn x=\"1\">"),
        good.replace("<Arn>", "<!-- --><Arn>"),
        good.replace("<Account>123456789012</Account>", ""),
        good.replace(
            "</GetCallerIdentityResult>",
            "<Account>000000000000</Account></GetCallerIdentityResult>",
        ),
        good.replace("<UserId>A</UserId>", "<UserId>A</UserId><UserId>A</UserId>"),
        good.replace("<UserId>A</UserId>", "<UserId><Account>000000000000</Account></UserId>"),
        good.replace("user/a", "user/&lt;a"),
        good.replace("user/a", "<![CDATA[user/a]]>"),
        good.replace("123456789012</Account>", "12345678901</Account>"),
        good.replace("123456789012</Account>", "12345678901x</Account>"),
        format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{good}"),
        format!("{good}{good}"),
        format!("x{good}"),
        format!("{good}x"),
        format!("<Error>{good}</Error>"),
    ] {
        assert_eq!(read(&text), None, "{text}");
    }
}

#[test]
fn c2_an_answer_in_json_has_one_form() {
    let read = |text: &str| CallerIdentity::read(text.as_bytes());
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/a");
    let result = json!({ "Account": ACCOUNT, "Arn": arn, "UserId": "A" });
    let whole = |result: &Value, more: &Value| {
        let mut inner = json!({
            "GetCallerIdentityResult": result, "ResponseMetadata": { "RequestId": "1" },
        });
        inner.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "GetCallerIdentityResponse": inner }).to_string()
    };
    assert!(read(&whole(&result, &json!({}))).is_some());
    for text in [
        "{}".to_owned(),
        result.to_string(),
        whole(&result, &json!({ "Error": "x" })),
        whole(&changed(&result, &json!({ "Account": null })), &json!({})),
        whole(&changed(&result, &json!({ "Account": 123_456_789_012_u64 })), &json!({})),
        whole(&changed(&result, &json!({ "Extra": "x" })), &json!({})),
        whole(&changed(&result, &json!({ "Arn": "a b" })), &json!({})),
        whole(&json!([result]), &json!({})),
        whole(&result, &json!({})).replace("\"UserId\"", "\"Account\""),
    ] {
        assert_eq!(read(&text), None, "{text}");
    }
}

#[test]
fn c3_a_principal_is_compared_field_by_field() {
    let admits = |pattern: &str, arn: &str| {
        let principal = Arn::read(arn);
        let pattern = ArnPattern::read(pattern);
        pattern.zip(principal.ok()).is_some_and(|(pattern, arn)| pattern.admits(&arn))
    };
    let session = "arn:aws:sts::123456789012:assumed-role/App/i-1";
    for (pattern, arn, good) in [
        ("arn:aws:iam::123456789012:role/App", session, true),
        ("arn:aws:sts::123456789012:assumed-role/App", session, true),
        ("arn:aws:sts::123456789012:assumed-role/App/i-1", session, false),
        ("arn:aws:sts::123456789012:assumed-role/A*", session, true),
        ("arn:aws:iam::123456789012:*", session, true),
        ("arn:aws:sts::123456789012:*", session, true),
        ("arn:aws:iam::999999999999:role/App", session, false),
        ("arn:aws:iam::999999999999:*", session, false),
        ("arn:aws:iam::*:role/App", session, false),
        ("arn:aws:iam::12345678901*:role/App", session, false),
        ("arn:*:iam::123456789012:role/App", session, false),
        ("*", session, false),
        ("arn:aws-cn:iam::123456789012:role/App", session, false),
        ("arn:aws:iam::123456789012:role/app", session, false),
        ("arn:aws:iam::123456789012:role/Ap", session, false),
        ("arn:aws:iam::123456789012:role/App2", session, false),
        ("arn:aws:iam::123456789012:user/App", session, false),
        ("arn:aws:iam::123456789012:role/*", "arn:aws:iam::123456789012:user/App", false),
        ("arn:aws:iam::123456789012:user/*", session, false),
        ("arn:aws:iam::123456789012:user/alice", "arn:aws:iam::123456789012:user/div/alice", true),
        (
            "arn:aws:iam::123456789012:user/div/alice",
            "arn:aws:iam::123456789012:user/div/alice",
            false,
        ),
        ("arn:aws:iam::123456789012:role/App", "arn:aws:iam::123456789012:role/path/App", true),
        ("arn:aws:iam::123456789012:*", "arn:aws:iam::123456789012:root", false),
        ("arn:aws:sts::123456789012:*", "arn:aws:sts::123456789012:federated-user/bob", false),
        ("arn:aws:iam::123456789012:*", "arn:aws:iam::999999999999:role/123456789012:role", false),
        ("arn:aws:sts::123456789012:*", "arn:aws:sts::123456789012:assumed-role/App", false),
        ("arn:aws:sts::123456789012:*", "arn:aws:sts::123456789012:assumed-role/App/a/b", false),
        ("arn:aws:sts::123456789012:*", "arn:aws:s3::123456789012:role/App", false),
        ("arn:aws:iam::123456789012:role/A.p", session, false),
    ] {
        assert_eq!(admits(pattern, arn), good, "{pattern} {arn}");
    }
}

#[tokio::test]
async fn c3_an_account_is_always_compared() {
    let sts = Sts::start(false).await;
    let proof = Client::go().proof();
    let other = "999999999999";
    for limits in [
        json!({ "allowedAccountIds": other }),
        json!({ "allowedPrincipalArns": format!("arn:aws:iam::{other}:role/App") }),
        json!({ "allowedPrincipalArns": format!("arn:aws:iam::{other}:*") }),
        json!({
            "allowedAccountIds": other,
            "allowedPrincipalArns": format!("arn:aws:iam::{ACCOUNT}:role/App"),
        }),
    ] {
        let result = login(&sts, &attach(&limits).unwrap(), &proof).await;
        assert_eq!(result.unwrap_err().status(), 401, "{limits}");
    }
    let root = Client { key_id: "AKIAROOTROOTROOTROOT".into(), ..Client::go() }.proof();
    let error = login(&sts, &config(&json!({})), &root).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Access denied: AWS account root principals cannot use AWS Auth."
    );
}

#[test]
fn c3_a_configuration_without_a_limit_is_not_saved() {
    assert_eq!(fields(attach(&json!({}))), ["allowedAccountIds"]);
    for (name, value) in [
        ("allowedAccountIds", "12345678901"),
        ("allowedAccountIds", "123456789012, *"),
        ("allowedPrincipalArns", "*"),
        ("allowedPrincipalArns", "arn:aws:iam::*:role/App"),
        ("allowedPrincipalArns", "arn:aws:iam::123456789012:root"),
        ("allowedPrincipalArns", "arn:aws:iam::123456789012:role/"),
        ("allowedPrincipalArns", "arn:aws:iam::123456789012:role/(a+)+"),
        ("allowedPrincipalArns", "arn:aws:s3::123456789012:role/a"),
        ("allowedPrincipalArns", "arn:aws-cn:iam::123456789012:role/a"),
    ] {
        assert_eq!(fields(attach(&json!({ name: value }))), [name], "{value}");
    }
}
