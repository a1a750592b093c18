use super::*;

const ISSUER: &str = "https://kms.example.test";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const HERE: &str = "http://127.0.0.1:50123/callback";

/// Where no answer may go.
const ADDRESSES: &[&str] = &[
    "http://localhost:50123/callback",
    "http://127.0.0.1/callback",
    "http://127.0.0.1:/callback",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:080/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.1:+80/",
    "http://127.0.0.2:50123/",
    "http://127.1:50123/",
    "http://0x7f000001:50123/",
    "http://2130706433:50123/",
    "http://[::ffff:127.0.0.1]:50123/",
    "http://[0:0:0:0:0:0:0:1]:50123/",
    "http://[::1%25lo]:50123/",
    "http://::1:50123/",
    "https://127.0.0.1:50123/",
    "HTTP://127.0.0.1:50123/",
    "http:127.0.0.1:50123/",
    "http:/127.0.0.1:50123/",
    "http:///127.0.0.1:50123/",
    "http:\\\\127.0.0.1:50123/",
    "//127.0.0.1:50123/",
    "http://127.0.0.1:50123@evil.example/",
    "http://user@127.0.0.1:50123/",
    "http://user:50123@127.0.0.1:50123/",
    "http://127.0.0.1:50123.evil.example/",
    "http://127.0.0.1:50123\\@evil.example/",
    "http://127.0.0.1:50123#@evil.example/",
    "http://127.0.0.1:50123?@evil.example/",
    "http://127.0.0.1:50123/callback?a=b",
    "http://127.0.0.1:50123/callback#a",
    "http://127.0.0.1:50123/../x",
    "http://127.0.0.1:50123/%2e%2e",
    "http://127.0.0.1:50123/a b",
    "http://127.0.0.1:50123/\r\nset-cookie:a",
    "http://127.0.0.1:50123/\t",
    " http://127.0.0.1:50123/",
    "http://127.0.0.1:50123/ ",
    "http://evil.example:50123/",
    "https://kms.example.test/oauth/code/",
    "https://kms.example.test/oauth/code?x",
    "https://kms.example.test/oauth/authorize",
    "https://kms.example.test.evil.example/oauth/code",
    "https://KMS.example.test/oauth/code",
    "http://kms.example.test/oauth/code",
    "/oauth/code",
    "javascript:alert(1)",
    "data:text/html,x",
    "urn:ietf:wg:oauth:2.0:oob",
];

type Pairs = Vec<(String, String)>;

/// A good request, with some parameters in the place of its own; none takes one away.
fn with(changes: &[(&str, Option<&str>)]) -> Pairs {
    let good = [
        ("response_type", "code"),
        ("client_id", "kms-cli"),
        ("redirect_uri", HERE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "a+b/c=="),
    ];
    let mut pairs: Pairs = good.map(|(name, value)| (name.into(), value.into())).into();
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        pairs.extend(value.map(|value| ((*name).into(), value.into())));
    }
    pairs
}

fn read(pairs: &Pairs) -> Result<LoginRequest, BadRequest> {
    LoginRequest::read(pairs, ISSUER)
}

#[track_caller]
fn told(pairs: &Pairs) -> String {
    match read(pairs) {
        Err(BadRequest::Told(address)) => address,
        other => panic!("nobody was told: {other:?}"),
    }
}

#[test]
fn a_request_comes_back_as_it_was_read() {
    let pairs = with(&[("host", Some("laptop <7>")), ("unknown", Some("x")), ("scope", Some(""))]);
    let request = read(&pairs).unwrap();
    assert_eq!(request.listener(), Some("127.0.0.1:50123"));
    assert_eq!((request.organization, request.host.as_deref()), (None, Some("laptop <7>")));
    let id: OrganizationId = uuid::Uuid::from_u128(7).into();
    let query = request.query(Some(id));
    let again: Pairs = query
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            let value = percent_encoding::percent_decode_str(value).decode_utf8().unwrap();
            (name.to_owned(), value.into_owned())
        })
        .collect();
    assert_eq!(read(&again), Ok(LoginRequest { organization: Some(id), ..request.clone() }));
    assert_eq!(
        request.answered("code", "c0de"),
        "http://127.0.0.1:50123/callback?code=c0de&state=a%2Bb%2Fc%3D%3D\
        &iss=https%3A%2F%2Fkms%2Eexample%2Etest"
    );
}

#[test]
fn l1_an_answer_goes_to_a_literal_loopback_address_or_to_our_own_page() {
    for good in [
        "http://127.0.0.1:1/",
        "http://127.0.0.1:65535",
        "http://[::1]:50123/a/b-c_d~e",
        "https://kms.example.test/oauth/code",
    ] {
        assert!(read(&with(&[("redirect_uri", Some(good))])).is_ok(), "{good}");
    }
    let long = format!("http://127.0.0.1:50123/{}", "a".repeat(LONGEST_ADDRESS));
    for bad in ADDRESSES.iter().copied().chain([long.as_str()]) {
        let refused = read(&with(&[("redirect_uri", Some(bad)), ("response_type", Some("x"))]));
        assert!(matches!(refused, Err(BadRequest::Shown(_))), "{bad}: {refused:?}");
    }
}

#[test]
fn l1_a_request_of_nobody_we_know_is_sent_nowhere() {
    for pairs in [
        with(&[("client_id", None)]),
        with(&[("client_id", Some(""))]),
        with(&[("client_id", Some("KMS-CLI"))]),
        with(&[("client_id", Some("other")), ("response_type", None)]),
        with(&[("redirect_uri", None)]),
        [with(&[]), with(&[])].concat(),
        [with(&[]), vec![("redirect_uri".into(), HERE.into())]].concat(),
        [with(&[]), vec![("client_id".into(), "kms-cli".into())]].concat(),
        Pairs::new(),
    ] {
        assert!(matches!(read(&pairs), Err(BadRequest::Shown(_))), "{pairs:?}");
    }
}

#[test]
fn l2_a_request_without_challenge_by_s256_is_refused() {
    for (name, value) in [
        ("code_challenge", None),
        ("code_challenge", Some("short")),
        ("code_challenge", Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c+")),
        ("code_challenge_method", None),
        ("code_challenge_method", Some("plain")),
        ("code_challenge_method", Some("s256")),
    ] {
        let address = told(&with(&[(name, value)]));
        assert!(address.starts_with(&format!("{HERE}?error=invalid%5Frequest&")), "{address}");
        assert!(address.contains("&state=a%2Bb%2Fc%3D%3D&iss="), "{address}");
    }
}

#[test]
fn what_else_is_wrong_is_told_to_the_program() {
    for (name, value, error) in [
        ("response_type", None, "invalid_request"),
        ("response_type", Some("token"), "unsupported_response_type"),
        ("response_type", Some("code id_token"), "unsupported_response_type"),
        ("organization_id", Some("../1"), "invalid_request"),
    ] {
        let address = told(&with(&[(name, value)]));
        let error = error.replace('_', "%5F");
        assert!(address.starts_with(&format!("{HERE}?error={error}&")), "{address}");
    }
    for twice in ["response_type", "code_challenge", "code_challenge_method", "host"] {
        let mut pairs = with(&[("host", Some("a"))]);
        pairs.push((twice.into(), "b".into()));
        assert!(told(&pairs).contains("twice"), "{twice}");
    }
}

/// What is no state is not sent along either.
#[test]
fn l1_state_is_asked_for_and_bounded() {
    let longest = "s".repeat(LONGEST_STATE);
    assert!(read(&with(&[("state", Some(&longest))])).is_ok());
    for bad in [None, Some(""), Some(&*format!("{longest}s")), Some("a\nb"), Some("é")] {
        let address = told(&with(&[("state", bad)]));
        assert!(!address.contains("&state="), "{address}");
    }
    let mut pairs = with(&[]);
    pairs.push(("state".into(), "other".into()));
    assert!(!told(&pairs).contains("&state="));
}

#[test]
fn l11_the_name_of_a_machine_hides_nothing() {
    let host = format!("lap\u{202e}top{}", "x".repeat(300));
    let request = read(&with(&[("host", Some(&host))])).unwrap();
    let host = request.host.unwrap();
    assert!(host.starts_with("lap\u{fffd}top") && host.chars().count() == LONGEST_HOST);
    assert_eq!(read(&with(&[("host", Some("  "))])).unwrap().host, None);
}
