//! The lines about machine identities that the reference shows, as they stand there.

use std::{fs, path::Path};

use assert_cmd::Command;
use serde_json::json;

use crate::{
    machine::{ACCESS_TOKEN, IDENTITY, JWT, granted},
    machine_aws::{KEY_ID, SECRET},
    machine_gcp::key_file,
    support::{Reply, Server, run},
};

fn lines() -> Vec<String> {
    let table = include_str!("../../../docs/seed-coverage.md");
    let rows = table.lines().filter_map(|row| row.strip_prefix("| "));
    let texts = rows.filter_map(|row| row.split(" | ").nth(1));
    let code = texts.filter_map(|text| text.strip_prefix('`')?.strip_suffix('`'));
    code.filter(|line| line.starts_with("kms login --method="))
        .filter(|line| line.contains("--machine-identity-id="))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_example_line_of_machines_works_as_written() {
    let lines = lines();
    let methods: Vec<_> = lines.iter().map(|line| line.split(['=', ' ']).nth(3).unwrap()).collect();
    let expected =
        ["kubernetes", "azure", "gcp-id-token", "gcp-iam", "aws-iam", "oidc-auth", "jwt-auth"];
    assert_eq!(methods, expected);
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, JWT).unwrap();
    let key = key_file(|_| ());
    for line in &lines {
        let server = Server::start([granted()]);
        let google =
            Server::start([Reply::text(200, "text/html", JWT).with("metadata-flavor", "Google")]);
        let azure = Server::start([Reply::json(200, json!({ "access_token": JWT }))]);
        let script = line
            .replace("<machine-identity-id>", IDENTITY)
            .replace("<service-account-token-path>", token.to_str().unwrap())
            .replace("<service-account-key-file-path>", key.path.to_str().unwrap())
            .replace("<oidc-jwt>", JWT)
            .replace("<jwt-token>", JWT);
        let ran = run(Command::new("/bin/sh")
            .env_clear()
            .env("PATH", Path::new(env!("CARGO_BIN_EXE_kms")).parent().unwrap())
            .env("KMS_CONFIG_DIR", folder.path())
            .env("INFISICAL_API_URL", server.url())
            .env("GCE_METADATA_HOST", google.url().replace("http://", ""))
            .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", azure.url())
            .env("AWS_ACCESS_KEY_ID", KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", "us-east-1")
            .args(["-c", &script]))
        .ends_with(0);
        assert_eq!(ran.stdout, format!("{ACCESS_TOKEN}\n"), "{line}");
        assert_eq!(server.request().json()["identityId"], IDENTITY, "{line}");
    }
}
