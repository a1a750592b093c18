//! What is not safe to log in with is refused, with the rule and the flag that it is about.

use crate::{commands::METHODS, house::House, issuer::cluster};

const HOST: &str = "--kubernetes-host=https://cluster.example.com";
const TENANT: &str = "--tenant-id=11111111-0000-4000-8000-000000000001";
const GITHUB: [&str; 2] = [
    "--oidc-discovery-url=https://token.actions.githubusercontent.com",
    "--bound-issuer=https://token.actions.githubusercontent.com",
];

/// Method, flags, the rule that is broken, the flag that the hint names.
const REFUSED: [(&str, &[&str], &str, &str); 23] = [
    ("kubernetes-auth", &[HOST], "every service account of the cluster", "allowed-namespaces"),
    ("kubernetes-auth", &["--allowed-names=a"], "`kubernetesHost`: Must be", "kubernetes-host"),
    (
        "kubernetes-auth",
        &["--kubernetes-host=http://93.184.215.14", "--allowed-names=a"],
        "Must start with `https://`",
        "kubernetes-host",
    ),
    (
        "kubernetes-auth",
        &["--kubernetes-host=https://10.96.0.1", "--allowed-names=a"],
        "the operator of the server can allow one with `--outbound-allow`",
        "kubernetes-host",
    ),
    (
        "kubernetes-auth",
        &[HOST, "--allowed-names=a", "--ca-cert-file=broken.pem"],
        "`caCert`: ",
        "ca-cert-file",
    ),
    (
        "kubernetes-auth",
        &[HOST, "--allowed-names=a", "--token-reviewer-jwt-file=broken.pem"],
        "`tokenReviewerJwt`: Must be a token",
        "token-reviewer-jwt-file",
    ),
    ("azure-auth", &[], "Must be the id of one tenant", "tenant-id"),
    ("azure-auth", &["--tenant-id=common"], "Must be the id of one tenant", "tenant-id"),
    (
        "azure-auth",
        &[TENANT, "--allowed-service-principal-ids=a b"],
        "Must be object ids",
        "allowed-service-principal-ids",
    ),
    ("gcp-auth", &["--allowed-service-accounts=a@b.c"], "`type`: Required", "type"),
    ("gcp-auth", &["--type=gce"], "Must name service accounts", "allowed-service-accounts"),
    (
        "gcp-auth",
        &["--type=iam", "--allowed-projects=p"],
        "Must name service accounts",
        "allowed-service-accounts",
    ),
    ("aws-auth", &[], "everybody who uses AWS could log in", "allowed-account-ids"),
    ("aws-auth", &["--allowed-account-ids=123"], "12 digits each", "allowed-account-ids"),
    (
        "aws-auth",
        &["--allowed-principal-arns=arn:aws:iam::*:role/deploy"],
        "with a whole account id",
        "allowed-principal-arns",
    ),
    (
        "aws-auth",
        &["--allowed-account-ids=123456789012", "--sts-endpoint=https://sts.example.com"],
        "Must be an STS endpoint of AWS",
        "sts-endpoint",
    ),
    ("oidc-auth", &GITHUB, "This issuer signs for others too", "bound-audiences"),
    (
        "oidc-auth",
        &["--oidc-discovery-url=https://gitlab.example.com"],
        "`boundIssuer`: Must name the issuer",
        "bound-issuer",
    ),
    (
        "oidc-auth",
        &[GITHUB[0], GITHUB[1], "--bound-subject=a", "--bound-claim=ref="],
        "Must name a value for each claim",
        "bound-claim",
    ),
    ("jwt-auth", &["--bound-subject=a"], "`configurationType`: Required", "configuration-type"),
    ("jwt-auth", &["--configuration-type=static"], "Must be one to 10 keys", "public-key-file"),
    ("jwt-auth", &["--public-key-file=broken.pem"], "`publicKeys`: A key", "public-key-file"),
    ("jwt-auth", &["--configuration-type=jwks"], "`jwksUrl`: Must be a URL", "jwks-url"),
];

#[test]
fn unsafe_settings_are_refused_with_the_rule_and_the_flag_to_change() {
    let house = House::build(&[]);
    let identity = house.identity();
    house.write("broken.pem", "-----BEGIN PUBLIC KEY-----\nno key\n-----END PUBLIC KEY-----\n");
    for (method, flags, rule, flag) in REFUSED {
        let arguments = [&["identities", method, "attach", identity.as_str()], flags].concat();
        let ran = house.kms(&arguments).ends_with(1).complains(rule);
        assert!(ran.stdout.is_empty(), "{arguments:?}");
        assert!(ran.stderr.contains(&format!("hint: `--{flag}` sets `")), "{}", ran.stderr);
    }
    let found = house.json(&["identities", "get", &identity]);
    assert_eq!(found["identity"]["authMethods"], serde_json::json!([]));
}

#[test]
fn settings_of_tokens_are_refused_with_the_flag_for_every_method() {
    let house = House::build(&[]);
    let identity = house.identity();
    let good: [&[&str]; 7] = [
        &[HOST, "--allowed-names=a"],
        &[TENANT],
        &["--type=gce", "--allowed-projects=p"],
        &["--allowed-account-ids=123456789012"],
        &[GITHUB[0], GITHUB[1], "--bound-subject=a"],
        &["--jwks-url=https://issuer.example.com/jwks.json"],
        &[],
    ];
    for (method, flags) in METHODS.into_iter().chain(["universal-auth"]).zip(good) {
        for (wrong, flag) in [
            ("--access-token-ttl=-1", "access-token-ttl"),
            ("--access-token-max-ttl=315360001", "access-token-max-ttl"),
            ("--access-token-num-uses-limit=-1", "access-token-num-uses-limit"),
            ("--access-token-trusted-ip=example.com", "access-token-trusted-ip"),
        ] {
            let start = ["identities", method, "attach", identity.as_str(), wrong];
            let hint = format!("hint: `--{flag}` sets `");
            house.kms(&[&start, flags].concat()).ends_with(1).complains(&hint);
        }
    }
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is() {
    let house = House::build(&[]);
    let identity = house.identity();
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    house.write("key.pem", &key);
    house.write("empty", "\n");
    let host = [HOST, "--allowed-names=a"];
    for (method, flags, text) in [
        ("kubernetes-auth", &[host[0], host[1], "--ca-cert-file=none.pem"][..], "none.pem"),
        ("kubernetes-auth", &[host[0], host[1], "--ca-cert-file=key.pem"], "holds a private key"),
        ("kubernetes-auth", &[host[0], host[1], "--token-reviewer-jwt-file=empty"], "it is empty"),
        ("kubernetes-auth", &["--no-ca-cert", "--ca-cert-file=key.pem"], "cannot be used with"),
        ("gcp-auth", &["--type=vm"], "it must be `gce` or `iam`"),
        ("aws-auth", &["--require-server-header=maybe"], "--require-server-header"),
        ("oidc-auth", &["--bound-claim=ref"], "it must be NAME=VALUE"),
        ("jwt-auth", &["--configuration-type=pem"], "it must be `jwks` or `static`"),
        ("jwt-auth", &["--public-key-file=key.pem"], "holds a private key"),
    ] {
        let start = ["identities", method, "attach", identity.as_str()];
        let ran = house.kms(&[&start, flags].concat()).ends_with(2).complains(text);
        let secret = key.lines().nth(1).unwrap();
        assert!(!ran.stderr.contains(secret));
    }
}

#[test]
fn c9_another_cluster_does_not_get_the_reviewers_token() {
    let house = House::build(&[]);
    let identity = house.identity();
    house.write("reviewer", "a.reviewers.token");
    let command = |verb, flags: &[&str]| {
        let start = ["identities", "kubernetes-auth", verb, identity.as_str()];
        house.kms(&[&start, flags].concat())
    };
    let at = |cluster: &str| format!("--kubernetes-host={cluster}");
    let (own, other) = (at(&cluster().url()), at(&cluster().url()));
    let given = [own.as_str(), "--allowed-names=a", "--token-reviewer-jwt-file=reviewer"];
    command("attach", &given).ends_with(0);
    command("update", &[&other])
        .ends_with(1)
        .complains("Must be sent again with another `kubernetesHost`")
        .complains("hint: `--token-reviewer-jwt-file` sets `tokenReviewerJwt`");
    command("update", &[&other, "--no-token-reviewer-jwt"]).ends_with(0);
}

#[test]
fn a_cluster_that_does_not_answer_is_not_attached() {
    let house = House::build(&[]);
    let identity = house.identity();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let host = format!("--kubernetes-host=http://{nobody}");
    let attach = ["identities", "kubernetes-auth", "attach", &identity, "--allowed-names=a"];
    house
        .kms(&[&attach[..], &[host.as_str()]].concat())
        .ends_with(1)
        .complains("The cluster could not be asked; check `kubernetesHost` and `caCert`");
}

#[test]
fn what_is_not_attached_cannot_be_shown_changed_or_detached() {
    let house = House::build(&[]);
    let identity = house.identity();
    for method in METHODS {
        let start = ["identities", method];
        for end in [&["show", &identity][..], &["update", &identity], &["detach", &identity, "-y"]]
        {
            let ran = house.kms(&[&start, end].concat()).ends_with(1);
            assert!(ran.stderr.contains("The identity does not have "), "{}", ran.stderr);
        }
        house.kms(&[&start[..], &["detach", &identity]].concat()).ends_with(2);
    }
}

#[test]
fn a_method_is_attached_once() {
    let house = House::build(&[]);
    let identity = house.identity();
    let attach = ["identities", "azure-auth", "attach", &identity, TENANT];
    house.kms(&attach).ends_with(0);
    house.kms(&attach).ends_with(1).complains("Azure auth to already configured identity");
}
