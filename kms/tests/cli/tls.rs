//! Private certificate authorities.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
};

use assert_cmd::Command;
use rcgen::{CertificateParams, DnType, date_time_ymd};
use serde_json::json;

use crate::{
    authority::Authority,
    support::{Reply, Server, kms, run},
};

/// A server on `https://localhost` and the file with the certificate of its authority.
fn start(replies: Vec<Reply>, folder: &Path) -> (Server, String) {
    start_with(replies, folder, |_| {})
}

fn start_with(
    replies: Vec<Reply>,
    folder: &Path,
    change: impl FnOnce(&mut CertificateParams),
) -> (Server, String) {
    let authority = Authority::new();
    fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let wrap = authority.localhost(change);
    let server = Server::on(listener, replies, wrap);
    let url = format!("https://localhost:{}", server.port());
    (server, url)
}

fn projects() -> Reply {
    Reply::json(200, json!({ "projects": [] }))
}

fn list(url: &str) -> Command {
    let mut command = kms();
    command.args(["projects", "list", "--token=t", "--domain", url]);
    command
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = start(vec![projects(), projects(), projects()], folder.path());
    let ca = folder.path().join("ca.pem");
    run(list(&url).arg("--cacert").arg(&ca)).ends_with(0);
    run(list(&url).env("KMS_CACERT", &ca)).ends_with(0);
    run(list(&url).env("SSL_CERT_FILE", &ca)).ends_with(0);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_directory_of_certificates_is_honoured() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = start(vec![projects()], folder.path());
    let hashed = folder.path().join("certificates");
    fs::create_dir(&hashed).unwrap();
    // The name under which a rehashed directory keeps a certificate.
    fs::copy(folder.path().join("ca.pem"), hashed.join("0a1b2c3d.0")).unwrap();
    run(list(&url).env("SSL_CERT_DIR", &hashed)).ends_with(0);
    server.request();
}

#[test]
fn an_unknown_authority_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = start(vec![], folder.path());
    run(&mut list(&url))
        .ends_with(5)
        .says(&format!("could not verify the TLS certificate of `{url}`"))
        .says("`Example Root CA`, which issued the certificate of `kms.test`, is neither trusted")
        .says("--cacert");
    assert!(server.requests().is_empty());
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = start(vec![], folder.path());
    let url = url.replace("localhost", "127.0.0.1");
    run(list(&url).arg("--cacert").arg(folder.path().join("ca.pem")))
        .ends_with(5)
        .says("its certificate is for `localhost`, not for `127.0.0.1`")
        .says("`--domain https://NAME`");
    assert!(server.requests().is_empty());
}

#[test]
fn a_certificate_that_has_ended_says_since_when() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = start_with(vec![], folder.path(), |leaf| {
        leaf.not_before = date_time_ymd(2020, 1, 1);
        leaf.not_after = date_time_ymd(2021, 1, 1);
    });
    run(list(&url).arg("--cacert").arg(folder.path().join("ca.pem")))
        .ends_with(5)
        .says("a certificate of its chain ended ")
        .says("days ago")
        .says("check this machine's clock");
    assert!(server.requests().is_empty());
}

#[test]
fn a_certificate_that_signed_itself_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = start_with(vec![], folder.path(), |leaf| {
        leaf.distinguished_name.push(DnType::CommonName, "Example Root CA");
    });
    run(&mut list(&url))
        .ends_with(5)
        .says("`Example Root CA` has signed its own certificate and is not trusted here");
    assert!(server.requests().is_empty());
}

#[test]
fn a_server_without_encryption_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").unwrap();
    });
    run(list(&format!("https://{address}")).arg("--non-interactive"))
        .ends_with(5)
        .says("does not speak TLS")
        .says(&format!("use `--domain http://{address}`"));
    server.join().unwrap();
}

#[test]
fn a_certificate_file_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "nothing here").unwrap();
    for file in [empty, folder.path().join("missing.pem")] {
        let name = file.display().to_string();
        run(list("https://localhost:1").arg("--cacert").arg(&file)).ends_with(2).says(&name);
        run(list("https://localhost:1").env("SSL_CERT_FILE", &file)).ends_with(2).says(&name);
    }
}
