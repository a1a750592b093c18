//! C1, C2 and C4: which requests are sent on, and to whom.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;

#[tokio::test]
async fn the_requests_of_every_known_client_are_verified() {
    let sts = Sts::start(false).await;
    let arns = json!({ "allowedPrincipalArns": format!("arn:aws:iam::{ACCOUNT}:role/App") });
    for client in [Client::go(), Client::python(), Client::node(), Client::ours(ORIGIN)] {
        let principal = login(&sts, &config(&arns), &client.proof()).await.unwrap();
        let expected = json!({ "aws": {
            "accountId": ACCOUNT, "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/App/i-1"),
            "userId": "AROAEXAMPLE:i-1", "partition": "aws", "service": "sts",
            "resourceType": "assumed-role", "resourceName": "App",
        } });
        assert_eq!(Value::Object(principal.identity_auth), expected);
        let replay = principal.replay.unwrap();
        assert_eq!((replay.id.len(), replay.expires_at), (64, NOW + 301));
    }
    let xml = Sts::start(true).await;
    assert!(login(&xml, &config(&arns), &Client::go().proof()).await.is_ok());
}

#[tokio::test]
async fn a_wrong_key_and_a_changed_request_are_refused_by_sts() {
    let sts = Sts::start(false).await;
    let mut wrong = Client::go();
    wrong.secret = "another".into();
    assert_unverified(login(&sts, &config(&json!({})), &wrong.proof()).await, &"wrong key");
    let mut unknown = Client::go();
    unknown.key_id = "AKIAUNKNOWNUNKNOWN".into();
    assert_unverified(login(&sts, &config(&json!({})), &unknown.proof()).await, &"unknown key");
    assert_eq!(sts.peer.requests().len(), 2);
}

#[tokio::test]
async fn c2_only_one_request_is_ever_sent_on() {
    let sts = Sts::start(false).await;
    let good = Client::node().proof();
    let encode = |text: &str| STANDARD.encode(text);
    let body = |text: &str| Proof { iam_request_body: encode(text), ..good.clone() };
    let method = |method: &str| Proof { iam_http_request_method: method.into(), ..good.clone() };
    let mut mutated = vec![
        method("GET"),
        method("PUT"),
        method("POST /?x"),
        method(""),
        body("Action=GetCallerIdentity&Version=2011-06-15&Action=GetFederationToken"),
        body("Action=GetCallerIdentity&Version=2011-06-15\n"),
        body("Action=GetSessionToken&Version=2011-06-15"),
        body("Action=AssumeRole&RoleArn=arn:aws:iam::1:role/x&Version=2011-06-15"),
        body("Action=GetCallerIdentity&Version=2010-05-08"),
        body("action=GetCallerIdentity&Version=2011-06-15"),
        body("Version=2011-06-15&Action=GetCallerIdentity"),
        body(""),
        Proof { iam_request_body: "not base64".into(), ..good.clone() },
        Proof { iam_request_headers: "not base64".into(), ..good.clone() },
        Proof { iam_request_headers: encode("[]").into(), ..good.clone() },
        Proof { iam_request_headers: encode("{\"host\":1}").into(), ..good.clone() },
        Proof { iam_request_headers: encode("{}").into(), ..good.clone() },
    ];
    for (name, value) in [
        ("Content-Type", json!("application/json")),
        ("Content-Length", json!("44")),
        ("x-amz-content-sha256", json!("UNSIGNED-PAYLOAD")),
        ("x-amz-content-sha256", json!("0".repeat(64))),
        ("Accept", json!("application/xml, text/html")),
        ("HOST", json!(HOST)),
        ("x-amz-date", json!("20270115T080000")),
        ("x-amz-date", json!("20270114T080000Z")),
        ("x-amz-date", json!("yesterday")),
        ("x-amz-date", json!(null)),
        ("authorization", json!("AWS4-HMAC-SHA256")),
        ("authorization", json!("Bearer x")),
        ("x-amz-security-token", json!("a\r\nX-Injected: 1")),
    ] {
        mutated.push(Client::node().with_header(name, &value).proof());
    }
    for proof in &mutated {
        assert_unverified(login(&sts, &config(&json!({})), proof).await, proof);
    }
    assert!(mutated.len() >= 20);
    assert_eq!(sts.peer.requests().len(), 0);
    // Headers that were not signed and are not needed stay behind.
    let extra = Client::node()
        .with_header("X-Forwarded-For", &json!("1.2.3.4"))
        .with_header("Accept", &json!("text/xml"))
        .with_header("Cookie", &json!("a=b"));
    assert!(login(&sts, &config(&json!({})), &extra.proof()).await.is_ok());
    let sent = &sts.peer.requests()[0];
    assert!(
        !sent.headers().contains_key("x-forwarded-for") && !sent.headers().contains_key("cookie")
    );
    assert_eq!(sent.headers()["accept"], "application/json");
    assert_eq!((sent.method().as_str(), sent.uri().to_string()), ("POST", "/".to_owned()));
    // A header that was signed and is not known is not guessed at.
    let mut signed = Client::node();
    signed.signed.push(("x-amz-target".into(), "x".into()));
    assert_unverified(login(&sts, &config(&json!({})), &signed.proof()).await, &"signed header");
}

/// Region, host, and the endpoint that says the partition.
const GOOD: &[(&str, &str, &str)] = &[
    ("us-east-1", "sts.us-east-1.amazonaws.com", "https://sts.amazonaws.com/"),
    ("us-east-1", "sts.amazonaws.com", "https://sts.amazonaws.com"),
    ("ap-southeast-5", "sts.ap-southeast-5.amazonaws.com", "https://sts.amazonaws.com/"),
    ("us-west-2", "sts-fips.us-west-2.amazonaws.com", "https://sts.eu-west-1.amazonaws.com/"),
    (
        "us-gov-west-1",
        "sts.us-gov-west-1.amazonaws.com",
        "https://sts.us-gov-east-1.amazonaws.com/",
    ),
    ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn", "https://sts.cn-north-1.amazonaws.com.cn/"),
    (
        "eusc-de-east-1",
        "sts.eusc-de-east-1.amazonaws.eu",
        "https://sts.eusc-de-east-1.amazonaws.eu/",
    ),
];

/// Regions and hosts that do not belong together, or to anybody.
const BAD: &[(&str, &str)] = &[
    ("us-east-1", "evil.test"),
    ("us-east-1", "sts.us-east-1.amazonaws.com.evil.test"),
    ("us-east-1", "sts.us-east-1.evil.test"),
    ("us-east-1", "sts.us-east-1.amazonaws.com:8443"),
    ("us-east-1", "sts.us-east-1.amazonaws.com."),
    ("us-east-1", "user@sts.us-east-1.amazonaws.com"),
    ("us-east-1", "evil.test/sts.us-east-1.amazonaws.com"),
    ("us-east-1", "evil.test#sts.us-east-1.amazonaws.com"),
    ("us-east-1", "sts.eu-west-1.amazonaws.com"),
    ("us-east-1", "iam.amazonaws.com"),
    ("us-east-1", "127.0.0.1"),
    ("us-east-1", "[::1]"),
    ("us-east-1", ""),
    ("eu-west-1", "sts.amazonaws.com"),
    ("evil.test#", "sts.evil.test#.amazonaws.com"),
    ("evil.test/", "sts.evil.test/.amazonaws.com"),
    ("us-east-1.evil.test", "sts.us-east-1.evil.test.amazonaws.com"),
    ("us-evil-1", "sts.us-evil-1.amazonaws.com"),
    ("us-east-0", "sts.us-east-0.amazonaws.com"),
    ("us-east-11", "sts.us-east-11.amazonaws.com"),
    ("US-EAST-1", "sts.us-east-1.amazonaws.com"),
    ("xx-east-1", "sts.xx-east-1.amazonaws.com"),
    ("", "sts..amazonaws.com"),
    ("@evil.test", "sts.@evil.test.amazonaws.com"),
    ("us-east-1:80@evil.test", "sts.us-east-1:80@evil.test.amazonaws.com"),
    // Other partitions, where somebody else may own an account of the same id.
    ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
    ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
    ("eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu"),
];

/// What is no STS endpoint.
const NO_ENDPOINTS: &[&str] = &[
    "https://evil.test/",
    "http://sts.amazonaws.com/",
    "https://sts.amazonaws.com.evil.test/",
    "https://sts.amazonaws.com:8443/",
    "https://a@sts.amazonaws.com/",
    "https://sts.amazonaws.com/x",
    "https://sts.amazonaws.com/?a=b",
    "https://10.0.0.1/",
    "https://sts.us-evil-1.amazonaws.com/",
    "sts.amazonaws.com",
    "https://s3.amazonaws.com/",
];

#[test]
fn c1_the_host_follows_from_the_region_by_a_fixed_table() {
    let read = |client: &Client, endpoint: &str| {
        let partition = Partition::of_endpoint(endpoint).unwrap();
        Signed::read(&client.proof(), partition, None).map(|signed| signed.host)
    };
    let at = |region: &str, host: &str| Client { region: region.into(), ..Client::go() }.at(host);
    for (region, host, endpoint) in GOOD {
        assert_eq!(read(&at(region, host), endpoint).ok().as_deref(), Some(*host));
    }
    for (region, host) in BAD {
        let result = read(&at(region, host), "https://sts.amazonaws.com/");
        assert!(result.is_err(), "{region} {host} {result:?}");
    }
    for endpoint in NO_ENDPOINTS {
        let settings = json!({ "allowedAccountIds": ACCOUNT, "stsEndpoint": endpoint });
        assert_eq!(fields(attach(&settings)), ["stsEndpoint"], "{endpoint}");
    }
}

#[tokio::test]
async fn c1_a_host_that_a_caller_signed_for_is_not_called() {
    let canary = Sts::start(false).await;
    let outbound = Outbound::with(loopback_policy(), SystemResolver, quick());
    let verifier = Verifier::new(outbound, Endpoints::default());
    let proof = Client::go().at(&canary.peer.address.to_string()).proof();
    let login = Login { verifier: &verifier, identity: identity(), now: NOW, origins: &[] };
    assert_unverified(Aws::verify(&config(&json!({})), &proof, login).await, &"canary");
    assert_eq!(canary.peer.connections(), 0);
}

#[tokio::test]
async fn c4_a_signature_is_for_one_server_and_five_minutes() {
    let sts = Sts::start(false).await;
    let (open, bound) = (config(&json!({})), config(&json!({ "requireServerHeader": true })));
    let ours = Client::ours(&format!("{ORIGIN}/")).proof();
    assert!(login(&sts, &bound, &ours).await.is_ok());
    assert_unverified(login(&sts, &bound, &Client::go().proof()).await, &"not bound");
    for other in [
        "https://other.example.com",
        "http://kms.example.com",
        "",
        "https://kms.example.com.evil.test",
    ] {
        let proof = Client::ours(other).proof();
        assert_unverified(login(&sts, &open, &proof).await, &other);
        assert_unverified(login(&sts, &bound, &proof).await, &other);
    }
    // Added by somebody who has no key, so not signed.
    let added = Client::go().with_header("X-Kms-Server", &json!(ORIGIN)).proof();
    assert_unverified(login(&sts, &bound, &added).await, &"unsigned");
    let proof = Client::go().proof();
    for (now, good) in
        [(NOW + 300, true), (NOW - 300, true), (NOW + 301, false), (NOW - 301, false)]
    {
        assert_eq!(login_at(&sts, &open, &proof, now).await.is_ok(), good, "{now}");
    }
    // Whoever sends the same request again is told from others by its signature.
    let first = login(&sts, &open, &proof).await.unwrap().replay;
    let again = login(&sts, &open, &proof).await.unwrap().replay;
    assert!(first == again && first != login(&sts, &open, &ours).await.unwrap().replay);
}
