//! `kms login` on Google Cloud: the metadata server as Google documents it, and key files.

use std::{
    fs,
    path::PathBuf,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::rsa::KeyPair;
use serde_json::{Value, json};

use crate::{
    machine::{IDENTITY, JWT, granted, login, proof_of},
    signed::{rs256, rsa_key},
    support::{CANARY, Reply, Server, run},
};

const ROUTE: &str = "/api/v1/auth/gcp-auth/login";
const EMAIL: &str = "deploy@my-project.iam.gserviceaccount.com";

/// What the metadata server answers: the token alone, and its flavour.
fn id_token(token: &str) -> Reply {
    Reply::text(200, "text/html", token).with("metadata-flavor", "Google")
}

#[test]
fn the_metadata_server_is_asked_once_for_a_full_token_for_this_identity() {
    let metadata = Server::start([id_token(&format!("{JWT}\n"))]);
    let server = Server::start([granted()]);
    let host = metadata.url().replace("http://", "");
    let proof = proof_of(
        run(login("gcp-id-token", &server)
            .env("GCE_METADATA_HOST", host)
            .env("KMS_CUSTOM_HEADERS", format!("X-Proxy-Secret={CANARY}"))),
        &server,
        ROUTE,
    );
    assert_eq!(proof, json!({ "identityId": IDENTITY, "jwt": JWT }));
    let request = metadata.request();
    assert_eq!(request.method, "GET");
    assert_eq!(
        request.target,
        format!(
            "/computeMetadata/v1/instance/service-accounts/default/identity\
             ?audience={IDENTITY}&format=full"
        )
    );
    assert_eq!(request.header("metadata-flavor"), Some("Google"));
    // The metadata server refuses forwarded questions, and nothing of the KMS is its business.
    for name in ["x-forwarded-for", "x-proxy-secret", "authorization"] {
        assert_eq!(request.header(name), None, "{name}");
    }
}

#[test]
fn whoever_does_not_say_that_it_is_google_is_not_believed() {
    for reply in [
        Reply::text(200, "text/plain", JWT),
        Reply::text(200, "text/html", JWT).with("metadata-flavor", "Other"),
        Reply::text(401, "text/html", "<html>Unauthorized"),
    ] {
        let metadata = Server::start([reply]);
        let server = Server::start([]);
        let host = metadata.url().replace("http://", "");
        run(login("gcp-id-token", &server).env("GCE_METADATA_HOST", &host))
            .ends_with(1)
            .says("this is not a machine of Google Cloud")
            .says(&host);
        assert!(server.requests().is_empty());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn elsewhere_it_is_said_soon_and_with_what_was_tried() {
    use crate::support::BlackHole;

    let hole = BlackHole::new();
    let refusing = {
        let gone = Server::start([]);
        gone.url().replace("http://", "")
    };
    for host in [hole.authority(), refusing] {
        let server = Server::start([]);
        let started = Instant::now();
        run(login("gcp-id-token", &server).env("GCE_METADATA_HOST", &host))
            .ends_with(1)
            .says("unable to authenticate with `gcp-id-token`")
            .says("this is not a machine of Google Cloud")
            .says(&format!("nobody answers at `http://{host}`"))
            .says("kms login --method=gcp-iam");
        let taken = started.elapsed().as_secs();
        assert!(taken < 4, "{taken} s; a second is what a connection may take");
    }
}

pub(crate) struct KeyFile {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    key: KeyPair,
}

/// A key file as Google hands it out, but for the change.
pub(crate) fn key_file(change: impl FnOnce(&mut Value)) -> KeyFile {
    let (key, pem) = rsa_key();
    let mut content = json!({
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "0123456789abcdef",
        "private_key": pem,
        "client_email": EMAIL,
        "client_id": "1234567890",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    change(&mut content);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    fs::write(&path, content.to_string()).unwrap();
    KeyFile { _folder: folder, path, key }
}

#[test]
fn a_key_signs_a_short_lived_token_for_this_identity_and_nobody_is_asked() {
    let file = key_file(|_| ());
    for flag in ["--service-account-key-file-path", "--service-account-key-path"] {
        let server = Server::start([granted()]);
        let proof =
            proof_of(run(login("gcp-iam", &server).arg(flag).arg(&file.path)), &server, ROUTE);
        assert_eq!(proof["identityId"], IDENTITY);
        let (header, claims) = rs256(proof["jwt"].as_str().unwrap(), &file.key);
        assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "kid": "0123456789abcdef" }));
        assert_eq!((&claims["sub"], &claims["iss"]), (&json!(EMAIL), &json!(EMAIL)));
        assert_eq!(claims["aud"], IDENTITY);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (issued, ends) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
        assert!(issued <= now && now - issued < 60, "{issued} at {now}");
        assert_eq!(ends - issued, 600);
    }
}

#[test]
fn the_key_file_comes_from_flag_then_variable_then_googles_own() {
    let file = key_file(|_| ());
    let server = Server::start([granted(), granted()]);
    let mut command = login("gcp-iam", &server);
    command.env("GOOGLE_APPLICATION_CREDENTIALS", &file.path);
    run(&mut command).ends_with(0);
    command.env("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere");
    command.env("INFISICAL_GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH", &file.path);
    run(&mut command).ends_with(0);
    command.env("KMS_GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH", "/nowhere");
    run(&mut command).ends_with(1).says("`/nowhere`: No such file");
    run(command.arg("--service-account-key-file-path=/no/file"))
        .ends_with(1)
        .says("`/no/file`: No such file");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn d6_a_file_that_is_no_key_is_refused_with_the_reason_and_not_quoted() {
    let wrong = |change: fn(&mut Value), reason: &str| {
        let file = key_file(change);
        let server = Server::start([]);
        let ran =
            run(login("gcp-iam", &server).arg("--service-account-key-file-path").arg(&file.path))
                .ends_with(1)
                .says(reason);
        assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
        assert!(server.requests().is_empty());
    };
    wrong(|key| *key = json!("canary-7c1e9a"), "is not a key file in JSON form");
    wrong(
        |key| key["type"] = "authorized_user".into(),
        "is a file of credentials, but not the key of a service account",
    );
    wrong(
        |key| drop(key.as_object_mut().unwrap().remove("private_key")),
        "lacks `client_email`, `private_key_id` or `private_key`",
    );
    wrong(|key| key["private_key"] = json!({ "canary": 1 }), "lacks `client_email`");
    wrong(|key| key["private_key"] = "canary-7c1e9a".into(), "`private_key` is not a private key");
    let begin = ["-----BEGIN ", "PRIVATE KEY-----"].concat();
    let end = begin.replace("BEGIN", "END");
    let pem = format!("{begin}\nY2FuYXJ5\n{end}\n");
    let file = key_file(|key| key["private_key"] = pem.into());
    let server = Server::start([]);
    run(login("gcp-iam", &server).arg("--service-account-key-file-path").arg(&file.path))
        .ends_with(1)
        .says("`private_key` is not an RSA key");
}
