//! `kms identities kubernetes-auth`, `azure-auth`, `gcp-auth`, `aws-auth`, `oidc-auth`, `jwt-auth`:
//! each flag, and what is shown of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{house::House, issuer::cluster};

pub(crate) const METHODS: [&str; 6] =
    ["kubernetes-auth", "azure-auth", "gcp-auth", "aws-auth", "oidc-auth", "jwt-auth"];

/// Stands for the token of a reviewer: no output may contain it.
const CANARY: &str = "canary.7c1e9a.reviewer";

/// One attachment and one change of a method, with what is shown after each.
struct Case {
    method: &'static str,
    attach: Vec<String>,
    attached: Value,
    update: Vec<String>,
    updated: Value,
}

/// The settings of tokens, which all methods have.
const TOKEN: [&str; 8] = [
    "--access-token-ttl=600",
    "--access-token-max-ttl=3600",
    "--access-token-num-uses-limit=5",
    "--access-token-trusted-ip=10.0.0.0/8,192.0.2.1",
    "--access-token-ttl=60",
    "--access-token-max-ttl=0",
    "--access-token-num-uses-limit=0",
    "--access-token-trusted-ip=0.0.0.0/0",
];

fn certificate() -> String {
    rcgen::generate_simple_self_signed(["cluster.example.com".to_owned()]).unwrap().cert.pem()
}

fn public_key() -> String {
    rcgen::KeyPair::generate().unwrap().public_key_pem()
}

fn texts<const N: usize>(arguments: [&str; N]) -> Vec<String> {
    arguments.map(str::to_owned).to_vec()
}

fn kubernetes(house: &House) -> Case {
    let (pem, host) = (certificate(), cluster().url());
    let ca = format!("--ca-cert-file={}", house.write("ca.pem", &pem));
    let reviewer =
        format!("--token-reviewer-jwt-file={}", house.write("reviewer", format!("{CANARY}\n")));
    Case {
        method: "kubernetes-auth",
        attach: texts([
            &format!("--kubernetes-host={host}"),
            &ca,
            &reviewer,
            "--allowed-namespaces=shop,web",
            "--allowed-names=deploy",
            "--allowed-audience=kms",
        ]),
        attached: json!({
            "kubernetesHost": host, "caCert": pem.trim_end(),
            "tokenReviewerJwt": "******", "tokenReviewMode": "api",
            "allowedNamespaces": "shop, web", "allowedNames": "deploy", "allowedAudience": "kms",
            "gatewayId": null,
        }),
        update: texts(["--no-ca-cert", "--no-token-reviewer-jwt", "--allowed-namespaces="]),
        updated: json!({ "caCert": "", "tokenReviewerJwt": null, "allowedNamespaces": "" }),
    }
}

fn azure() -> Case {
    let (tenant, principal) =
        ("11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002");
    Case {
        method: "azure-auth",
        attach: texts([
            &format!("--tenant-id={tenant}"),
            "--resource=api://kms",
            &format!("--allowed-service-principal-ids={principal}"),
        ]),
        attached: json!({
            "tenantId": tenant, "resource": "api://kms", "allowedServicePrincipalIds": principal,
        }),
        update: texts(["--resource=", "--allowed-service-principal-ids="]),
        updated: json!({
            "resource": "https://management.azure.com/", "allowedServicePrincipalIds": "",
        }),
    }
}

fn gcp() -> Case {
    let account = "deploy@my-project.iam.gserviceaccount.com";
    Case {
        method: "gcp-auth",
        attach: texts([
            "--type=gce",
            &format!("--allowed-service-accounts={account}"),
            "--allowed-projects=my-project",
            "--allowed-zones=europe-west1-b",
        ]),
        attached: json!({
            "type": "gce", "allowedServiceAccounts": account, "allowedProjects": "my-project",
            "allowedZones": "europe-west1-b",
        }),
        update: texts(["--type=iam", "--allowed-projects=", "--allowed-zones="]),
        updated: json!({ "type": "iam", "allowedProjects": "", "allowedZones": "" }),
    }
}

fn aws() -> Case {
    let arn = "arn:aws-us-gov:iam::123456789012:role/deploy-*";
    Case {
        method: "aws-auth",
        attach: texts([
            "--sts-endpoint=https://sts.us-gov-west-1.amazonaws.com",
            &format!("--allowed-principal-arns={arn}"),
            "--allowed-account-ids=123456789012",
            "--require-server-header=true",
        ]),
        attached: json!({
            "type": "iam", "stsEndpoint": "https://sts.us-gov-west-1.amazonaws.com",
            "allowedPrincipalArns": arn, "allowedAccountIds": "123456789012",
            "requireServerHeader": true,
        }),
        update: texts(["--allowed-principal-arns=", "--require-server-header=false"]),
        updated: json!({ "allowedPrincipalArns": "", "requireServerHeader": false }),
    }
}

fn oidc(house: &House) -> Case {
    let pem = certificate();
    let ca = format!("--ca-cert-file={}", house.write("provider.pem", &pem));
    Case {
        method: "oidc-auth",
        attach: texts([
            "--oidc-discovery-url=https://gitlab.example.com",
            &ca,
            "--bound-issuer=https://gitlab.example.com",
            "--bound-audiences=https://kms.example.com,kms",
            "--bound-subject=project_path:example/shop:*",
            "--bound-claim=ref=main, next",
            "--bound-claim=user.login=a=b",
            "--claim-metadata-mapping=repo=project_path",
        ]),
        attached: json!({
            "oidcDiscoveryUrl": "https://gitlab.example.com", "caCert": pem.trim_end(),
            "boundIssuer": "https://gitlab.example.com",
            "boundAudiences": "https://kms.example.com, kms",
            "boundSubject": "project_path:example/shop:*",
            "boundClaims": { "ref": "main, next", "user.login": "a=b" },
            "claimMetadataMapping": { "repo": "project_path" },
        }),
        update: texts([
            "--no-ca-cert",
            "--bound-subject=",
            "--no-bound-claims",
            "--no-claim-metadata-mapping",
        ]),
        updated: json!({
            "caCert": "", "boundSubject": "", "boundClaims": {}, "claimMetadataMapping": {},
        }),
    }
}

fn jwt(house: &House) -> Case {
    let keys = [public_key(), public_key()];
    let key = |index: usize| house.write(&format!("key{index}.pem"), &keys[index]);
    Case {
        method: "jwt-auth",
        attach: texts([
            &format!("--public-key-file={}", key(0)),
            &format!("--public-key-file={}", key(1)),
            "--bound-issuer=https://issuer.example.com",
            "--bound-audiences=kms",
            "--bound-subject=machine-7",
            "--bound-claim=team=core",
        ]),
        attached: json!({
            "configurationType": "static", "jwksUrl": "", "jwksCaCert": "",
            "publicKeys": keys.each_ref().map(|key| key.trim_end()),
            "boundIssuer": "https://issuer.example.com", "boundAudiences": "kms",
            "boundSubject": "machine-7", "boundClaims": { "team": "core" },
        }),
        // The type is what it was, and need not be said again.
        update: texts(["--bound-subject=machine-8", "--no-bound-claims"]),
        updated: json!({
            "configurationType": "static", "boundSubject": "machine-8", "boundClaims": {},
        }),
    }
}

/// JWT auth once more, with a key server; continues where [`jwt`] ended.
fn jwks(house: &House) -> Case {
    let pem = certificate();
    let ca = format!("--jwks-ca-cert-file={}", house.write("jwks.pem", &pem));
    let url = "https://issuer.example.com/jwks.json";
    Case {
        method: "jwt-auth",
        attach: texts(["--configuration-type=jwks", &format!("--jwks-url={url}"), &ca]),
        attached: json!({
            "configurationType": "jwks", "jwksUrl": url, "jwksCaCert": pem.trim_end(),
            "publicKeys": [],
        }),
        update: texts(["--no-jwks-ca-cert"]),
        updated: json!({ "configurationType": "jwks", "jwksUrl": url, "jwksCaCert": "" }),
    }
}

fn cases(house: &House) -> [Case; 7] {
    [kubernetes(house), azure(), gcp(), aws(), oidc(house), jwt(house), jwks(house)]
}

#[track_caller]
fn assert_holds(shown: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(shown[name], *value, "{name}");
    }
}

#[test]
fn each_flag_of_each_method_is_kept_shown_changed_and_taken_away() {
    let house = House::build(&[]);
    for case in cases(&house) {
        let identity = house.identity();
        let does = |verb: &str, flags: &[String], token: &[&str]| {
            let mut arguments = vec!["identities", case.method, verb, &identity];
            arguments.extend(flags.iter().map(String::as_str).chain(token.iter().copied()));
            house.json(&arguments)
        };
        let attached = does("attach", &case.attach, &TOKEN[..4]);
        assert_eq!(attached["identityId"], identity.as_str());
        assert_holds(&attached, &case.attached);
        let tokens = json!({
            "accessTokenTTL": 600, "accessTokenMaxTTL": 3_600, "accessTokenNumUsesLimit": 5,
            "accessTokenTrustedIps": [
                { "ipAddress": "10.0.0.0", "prefix": 8, "type": "ipv4" },
                { "ipAddress": "192.0.2.1", "type": "ipv4" },
            ],
        });
        assert_holds(&attached, &tokens);
        assert_eq!(does("show", &[], &[]), attached);
        assert_eq!(does("get", &[], &[]), attached);
        let found = house.json(&["identities", "get", &identity]);
        assert_eq!(found["identity"]["authMethods"], json!([case.method]));

        let updated = does("update", &case.update, &TOKEN[4..]);
        assert_holds(&updated, &case.updated);
        let tokens = json!({
            "accessTokenTTL": 60, "accessTokenMaxTTL": 0, "accessTokenNumUsesLimit": 0,
            "accessTokenTrustedIps": [{ "ipAddress": "0.0.0.0", "prefix": 0, "type": "ipv4" }],
        });
        assert_holds(&updated, &tokens);
        // What was not named is as it was.
        let changed = case.updated.as_object().unwrap();
        let kept = case.attached.as_object().unwrap();
        let kept = kept.iter().filter(|(name, _)| !changed.contains_key(*name));
        assert_holds(&updated, &kept.map(|(name, value)| (name.clone(), value.clone())).collect());
        assert_eq!(does("show", &[], &[]), updated);

        does("detach", &[], &["--yes"]);
        house.kms(&["identities", case.method, "show", &identity]).ends_with(1);
        let found = house.json(&["identities", "get", &identity]);
        assert_eq!(found["identity"]["authMethods"], json!([]));
    }
}

/// The flags that the help of a command lists before the global ones.
fn flags_in_help(house: &House, method: &str) -> BTreeSet<String> {
    let help = house.kms(&["identities", method, "attach", "--help"]).ends_with(0).stdout;
    let own = help.split("Global options").next().unwrap();
    let flags = own.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
    flags
        .map(|flag| flag.split(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap())
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_flag_of_the_methods_is_left_untried() {
    let house = House::build(&[]);
    for method in METHODS {
        let mut tried = BTreeSet::new();
        for case in cases(&house).iter().filter(|case| case.method == method) {
            let all = case.attach.iter().chain(&case.update).map(String::as_str).chain(TOKEN);
            tried.extend(all.map(|flag| flag[2..].split('=').next().unwrap().to_owned()));
        }
        if method == "kubernetes-auth" {
            // Tried below, with something to read.
            tried.insert("token-reviewer-jwt-stdin".to_owned());
        }
        assert_eq!(flags_in_help(&house, method), tried, "{method}");
    }
}

#[test]
fn a_method_is_shown_as_a_table_in_words() {
    let house = House::build(&[]);
    let identity = house.identity();
    let case = kubernetes(&house);
    let mut attach = vec!["identities", "kubernetes-auth", "attach", &identity];
    attach.extend(case.attach.iter().map(String::as_str));
    let ran = house.kms(&attach).ends_with(0);
    let login = format!("`kms login --method=kubernetes --machine-identity-id={identity}`");
    assert!(ran.stderr.contains(&login), "{}", ran.stderr);
    for row in [
        ["identity", identity.as_str()],
        ["kubernetes host", "http://127.0.0.1:"],
        ["ca cert", "1 in PEM form"],
        ["allowed namespaces", "shop, web"],
        ["token reviewer jwt", "******"],
        ["token ttl", "2592000 s"],
        ["token trusted ips", "0.0.0.0/0, ::/0"],
    ] {
        let mut lines = ran.stdout.lines();
        assert!(
            lines.any(|line| row.iter().all(|cell| line.contains(cell))),
            "{row:?} {}",
            ran.stdout
        );
    }
    let mut list = house.kms(&["identities", "list"]).ends_with(0).stdout;
    list.retain(|c| c != '\n');
    assert!(list.contains("kubernetes-auth"), "{list}");
}

#[test]
fn d6_the_token_of_the_reviewer_comes_by_file_or_standard_input_and_is_never_shown() {
    let house = House::build(&[]);
    let identity = house.identity();
    house.write("reviewer", format!("{CANARY}\n"));
    let command = format!(
        "kms identities kubernetes-auth attach {identity} \
        --kubernetes-host {} --allowed-names deploy",
        cluster().url()
    );
    let as_stored = format!(
        "curl --silent --fail \"$INFISICAL_API_URL/api/v1/auth/kubernetes-auth/identities/{identity}\" \
         -H \"authorization: Bearer $INFISICAL_TOKEN\" | \
         jq -r .identityKubernetesAuth.tokenReviewerJwt"
    );
    for (source, feed) in [
        ("--token-reviewer-jwt-file reviewer", ""),
        ("--token-reviewer-jwt-stdin", "cat reviewer |"),
    ] {
        let ran = house.shell(&format!("{feed} {command} {source}")).ends_with(0);
        for show in ["", "--output json"] {
            let shown =
                house.shell(&format!("kms identities kubernetes-auth show {identity} {show}"));
            let all = [&ran.stdout, &ran.stderr, &shown.stdout, &shown.stderr].map(String::as_str);
            assert!(!all.concat().contains("7c1e9a"), "{source} {show}");
            assert!(shown.stdout.contains("******"));
        }
        assert_eq!(house.says(&as_stored).trim_end(), CANARY, "{source}");
        house.says(&format!("kms identities kubernetes-auth detach {identity} --yes"));
    }
}
