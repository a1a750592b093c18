//! What all logins of machine identities have in common, and the two that only pass a file or a
//! token on: `kubernetes` and `jwt-auth`.

use std::{fs, path::Path};

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::support::{Ran, Reply, Server, kms, run};

pub(crate) const IDENTITY: &str = "0192d0a4-8f9c-7c6e-9f0a-0000000000aa";
/// Stands for the tokens of vendors: three parts, as they have.
pub(crate) const JWT: &str = "eyJ.vendor.canary-7c1e9a";
pub(crate) const ACCESS_TOKEN: &str = "the.access.token";

/// The answer to every login.
pub(crate) fn granted() -> Reply {
    Reply::json(
        200,
        json!({
            "accessToken": ACCESS_TOKEN,
            "expiresIn": 7_200,
            "accessTokenMaxTTL": 2_592_000,
            "tokenType": "Bearer",
        }),
    )
}

/// A login of the identity at this server, from an otherwise empty environment.
pub(crate) fn login(method: &str, server: &Server) -> Command {
    let mut command = kms();
    command.args(["login", "--plain", "--silent", "--method", method]);
    command.env("INFISICAL_API_URL", server.url());
    command.env("INFISICAL_MACHINE_IDENTITY_ID", IDENTITY);
    command
}

/// Asserts that a login printed the token alone, after one request to this route, and returns the
/// proof.
#[track_caller]
pub(crate) fn proof_of(ran: Ran, server: &Server, route: &str) -> Value {
    let ran = ran.ends_with(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("the.access.token\n", ""));
    let request = server.request();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", route));
    assert_eq!(request.header("authorization"), None);
    request.json()
}

/// Every method with its route and what makes it work without any vendor, where that is possible.
const ROUTES: [(&str, &str); 2] = [
    ("kubernetes", "/api/v1/auth/kubernetes-auth/login"),
    ("jwt-auth", "/api/v1/auth/jwt-auth/login"),
];

const METHODS: [&str; 7] =
    ["kubernetes", "azure", "gcp-id-token", "gcp-iam", "aws-iam", "oidc-auth", "jwt-auth"];

/// The variables with which the methods of [`ROUTES`] find a token.
fn equipped(method: &str, server: &Server, file: &Path) -> Command {
    let mut command = login(method, server);
    command.env("INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH", file);
    command.env("INFISICAL_JWT", JWT);
    command
}

fn token_file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, text).unwrap();
    (folder, file)
}

#[test]
fn the_proof_is_identity_and_token_and_the_organization_only_if_named() {
    let (_folder, file) = token_file(JWT);
    for (method, route) in ROUTES {
        let server = Server::start([granted()]);
        let proof = proof_of(run(&mut equipped(method, &server, &file)), &server, route);
        assert_eq!(proof, json!({ "identityId": IDENTITY, "jwt": JWT }));

        let server = Server::start([granted()]);
        let mut command = equipped(method, &server, &file);
        command.env("INFISICAL_AUTH_ORGANIZATION_SLUG", "team3");
        let proof = proof_of(run(&mut command), &server, route);
        assert_eq!(proof["organizationSlug"], "team3");

        let server = Server::start([granted()]);
        let proof = proof_of(
            run(command.env("INFISICAL_API_URL", server.url()).arg("--organization-slug=team2")),
            &server,
            route,
        );
        assert_eq!(proof["organizationSlug"], "team2", "a flag wins");
    }
}

#[test]
fn the_identity_comes_from_flag_then_our_variable_then_theirs() {
    let other = |end: u8| format!("0192d0a4-8f9c-7c6e-9f0a-0000000000{end:02}");
    let identity = |flag: Option<&str>, ours: bool| {
        let server = Server::start([granted()]);
        let mut command = login("jwt-auth", &server);
        command.env("INFISICAL_JWT", JWT).env("INFISICAL_MACHINE_IDENTITY_ID", other(3));
        if ours {
            command.env("KMS_MACHINE_IDENTITY_ID", format!(" {}\n", other(2)));
        }
        if let Some(flag) = flag {
            command.args(["--machine-identity-id", flag]);
        }
        run(&mut command).ends_with(0);
        server.request().json()["identityId"].as_str().unwrap().to_owned()
    };
    assert_eq!(identity(Some(&other(1)), true), other(1));
    assert_eq!(identity(Some(""), true), other(2), "an empty flag falls through");
    assert_eq!(identity(None, false), other(3));
}

#[test]
fn a_missing_or_malformed_identity_is_named_with_flag_and_variables_before_anything_is_asked() {
    let server = Server::start([]);
    for method in METHODS {
        let mut command = login(method, &server);
        command.env_remove("INFISICAL_MACHINE_IDENTITY_ID").env("INFISICAL_JWT", JWT);
        run(&mut command)
            .ends_with(2)
            .says("error: `--machine-identity-id` is missing")
            .says("`KMS_MACHINE_IDENTITY_ID` or `INFISICAL_MACHINE_IDENTITY_ID`");
        let mut command = login(method, &server);
        run(command.arg("--machine-identity-id=my-identity"))
            .ends_with(2)
            .says("error: `--machine-identity-id` is not an id");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn missing_inputs_are_named_with_flag_and_variables_of_machines() {
    let server = Server::start([]);
    let hint = "--service-account-key-file-path` or set \
                `KMS_GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH` or \
                `INFISICAL_GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH`";
    run(&mut login("gcp-iam", &server)).ends_with(2).says(hint);
    for method in ["oidc-auth", "jwt-auth"] {
        run(&mut login(method, &server))
            .ends_with(2)
            .says("error: `--jwt` is missing")
            .says("add `--jwt` or set `KMS_JWT` or `INFISICAL_JWT`")
            .says("--jwt-file");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn without_plain_the_token_is_printed_alone_and_the_rest_on_standard_error() {
    let server = Server::start([granted()]);
    let ran = run(kms()
        .args(["login", "--method=jwt-auth", "--machine-identity-id", IDENTITY])
        .env("KMS_DOMAIN", server.url())
        .env("KMS_JWT", JWT))
    .ends_with(0);
    assert_eq!(ran.stdout, "the.access.token\n");
    ran.says("Successfully authenticated with jwt auth")
        .says("expires in 2 hours and can be renewed for 30 days")
        .says("export INFISICAL_TOKEN=$(kms login --method=jwt-auth --plain --silent)");
}

#[test]
fn a_refused_proof_ends_with_3_and_names_the_server() {
    let (_folder, file) = token_file(JWT);
    for (method, _) in ROUTES {
        for status in [401, 403] {
            let server = Server::start([Reply::error(status, "Access denied")]);
            let ran = run(&mut equipped(method, &server, &file)).ends_with(3);
            assert_eq!(ran.stdout, "");
            ran.says(&format!("error: unable to authenticate with `{method}`"))
                .says("Access denied (request req-1)")
                .says(&server.url());
        }
    }
}

#[test]
fn every_flag_of_the_methods_is_in_the_help() {
    let help = run(kms().args(["login", "--help"])).ends_with(0).stdout;
    for flag in [
        "--machine-identity-id",
        "--organization-slug",
        "--service-account-token-path",
        "--service-account-key-file-path",
        "--jwt ",
        "--jwt-file",
        "--jwt-stdin",
        "--oidc-audience",
        "--azure-resource",
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
    for method in METHODS {
        assert!(help.contains(&format!("- {method}:")), "{method}");
    }
    assert!(!help.contains("not in this version"), "{help}");
}

#[test]
fn the_service_account_token_is_read_from_its_file_at_each_login_and_trimmed() {
    let (_folder, file) = token_file("  eyJ.first.token\n");
    let route = "/api/v1/auth/kubernetes-auth/login";
    let jwt = |command: &mut Command, server: &Server| {
        proof_of(run(command), server, route)["jwt"].as_str().unwrap().to_owned()
    };
    let server = Server::start([granted()]);
    let mut command = login("kubernetes", &server);
    command.env("INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH", "/nowhere");
    command.arg("--service-account-token-path").arg(&file);
    assert_eq!(jwt(&mut command, &server), "eyJ.first.token");
    fs::write(&file, "eyJ.second.token\r\n").unwrap();
    let server = Server::start([granted()]);
    command.env("INFISICAL_API_URL", server.url());
    assert_eq!(jwt(&mut command, &server), "eyJ.second.token");
}

#[test]
fn outside_of_a_pod_the_default_path_is_named_and_so_is_the_flag() {
    let server = Server::start([]);
    run(&mut login("kubernetes", &server))
        .ends_with(1)
        .says("error: unable to authenticate with `kubernetes`")
        .says("this is not a pod of Kubernetes")
        .says("there is no `/var/run/secrets/kubernetes.io/serviceaccount/token`")
        .says("--service-account-token-path");
    run(login("kubernetes", &server).arg("--service-account-token-path=/no/such/file"))
        .ends_with(1)
        .says("`/no/such/file`: No such file");
    assert!(server.requests().is_empty());
}

#[test]
fn d6_a_file_that_holds_no_token_is_refused_without_quoting_it() {
    let server = Server::start([]);
    for text in ["", "\n", "canary-7c1e9a two lines\ncanary-7c1e9a", &"c".repeat(65 * 1024)] {
        let (_folder, file) = token_file(text);
        let ran = run(login("kubernetes", &server).arg("--service-account-token-path").arg(&file));
        let ran = ran.ends_with(1).says("could not get the token of the service account");
        assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_jwt_comes_from_flag_file_standard_input_or_variable() {
    let (_folder, file) = token_file("of.the.file\n");
    let route = "/api/v1/auth/jwt-auth/login";
    let jwt = |arrange: &dyn Fn(&mut Command)| {
        let server = Server::start([granted()]);
        let mut command = login("jwt-auth", &server);
        arrange(&mut command);
        proof_of(run(&mut command), &server, route)["jwt"].as_str().unwrap().to_owned()
    };
    let both = |command: &mut Command| {
        command.env("INFISICAL_JWT", " of.the.variable\n");
    };
    assert_eq!(
        jwt(&|c| {
            both(c);
            c.arg("--jwt=of.the.flag");
        }),
        "of.the.flag"
    );
    assert_eq!(
        jwt(&|c| {
            both(c);
            c.arg("--jwt=");
        }),
        "of.the.variable"
    );
    assert_eq!(
        jwt(&|c| {
            both(c);
            c.env("KMS_JWT", "of.our.variable");
        }),
        "of.our.variable"
    );
    assert_eq!(
        jwt(&|c| {
            both(c);
            c.arg("--jwt-file").arg(&file);
        }),
        "of.the.file"
    );
    assert_eq!(
        jwt(&|c| {
            both(c);
            c.arg("--jwt-stdin").write_stdin("of.stdin\r\n");
        }),
        "of.stdin"
    );
}

#[test]
fn a_jwt_from_two_places_is_a_usage_error() {
    run(kms().args(["login", "--method=jwt-auth", "--jwt=a", "--jwt-stdin"])).ends_with(2);
}
