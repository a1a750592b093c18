//! `kms login --method=azure`: the metadata service as Azure documents it, and federated workloads.

use std::{collections::BTreeMap, fs};

use assert_cmd::Command;
use serde_json::json;

use crate::{
    machine::{IDENTITY, JWT, granted, login, proof_of},
    support::{CANARY, Reply, Request, Server, run},
};

const ROUTE: &str = "/api/v1/auth/azure-auth/login";

fn token() -> Reply {
    Reply::json(
        200,
        json!({
            "access_token": JWT,
            "expires_in": "3599",
            "expires_on": "1506484173",
            "resource": "https://management.azure.com/",
            "token_type": "Bearer",
        }),
    )
}

/// Path and parameters; a parameter that is there twice fails.
fn parts(request: &Request) -> (String, BTreeMap<String, String>) {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    (path.to_owned(), parameters(query))
}

fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap();
        let value = value.replace("%3A", ":").replace("%2F", "/").replace('+', " ");
        assert!(all.insert(name.to_owned(), value).is_none(), "{name} is there twice");
    }
    all
}

/// Logs in against one vendor's endpoint and returns what that was asked.
fn ask(arrange: impl Fn(&mut Command, &Server)) -> Request {
    let vendor = Server::start([token()]);
    let server = Server::start([granted()]);
    let mut command = login("azure", &server);
    arrange(&mut command, &vendor);
    let proof = proof_of(run(&mut command), &server, ROUTE);
    assert_eq!(proof, json!({ "identityId": IDENTITY, "jwt": JWT }));
    vendor.request()
}

fn on_a_machine(command: &mut Command, vendor: &Server) {
    command.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", vendor.url());
}

#[test]
fn the_metadata_service_is_asked_once_as_azure_documents() {
    let request = ask(|command, vendor| {
        on_a_machine(command, vendor);
        command.env("KMS_CUSTOM_HEADERS", format!("X-Proxy-Secret={CANARY}"));
    });
    assert_eq!(request.method, "GET");
    assert_eq!(
        request.target,
        "/metadata/identity/oauth2/token?api-version=2018-02-01\
         &resource=https%3A%2F%2Fmanagement.azure.com%2F"
    );
    assert_eq!(request.header("metadata"), Some("true"));
    assert_eq!(request.header("accept"), Some("application/json"));
    for name in ["x-forwarded-for", "x-proxy-secret", "authorization"] {
        assert_eq!(request.header(name), None, "{name}");
    }
}

#[test]
fn one_of_several_managed_identities_and_another_resource_can_be_named() {
    let request = ask(|command, vendor| {
        on_a_machine(command, vendor);
        command.env("INFISICAL_AZURE_AUTH_CLIENT_ID", "client-1");
        command.env("INFISICAL_AZURE_AUTH_OBJECT_ID", "object-1");
        command.env("KMS_AZURE_AUTH_RESOURCE", "api://of-the-variable");
        command.arg("--azure-resource=api://of-the-flag");
    });
    let (_, query) = parts(&request);
    assert_eq!(query["client_id"], "client-1");
    assert_eq!(query.get("object_id"), None, "the client id alone names it");
    assert_eq!(query["resource"], "api://of-the-flag");
    let request = ask(|command, vendor| {
        on_a_machine(command, vendor);
        command.env("INFISICAL_AZURE_AUTH_OBJECT_ID", "object-1");
    });
    assert_eq!(parts(&request).1["object_id"], "object-1");
}

#[test]
fn app_service_has_an_endpoint_of_its_own() {
    let request = ask(|command, vendor| {
        command.env("IDENTITY_ENDPOINT", format!("{}/msi/token/", vendor.url()));
        command.env("IDENTITY_HEADER", CANARY);
    });
    let (path, query) = parts(&request);
    assert_eq!((request.method.as_str(), path.as_str()), ("GET", "/msi/token/"));
    assert_eq!(query["api-version"], "2019-08-01");
    assert_eq!(query["resource"], "https://management.azure.com/");
    assert_eq!(request.header("x-identity-header"), Some(CANARY));
}

/// What the workload identity webhook of a cluster sets.
fn in_a_cluster(command: &mut Command, authority: &Server, file: &std::path::Path) {
    command.env("AZURE_CLIENT_ID", "client-of-the-cluster");
    command.env("AZURE_TENANT_ID", "tenant-1");
    command.env("AZURE_FEDERATED_TOKEN_FILE", file);
    command.env("AZURE_AUTHORITY_HOST", format!("{}/", authority.url()));
}

#[test]
fn a_federated_workload_exchanges_its_own_token_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("azure-identity-token");
    fs::write(&file, "eyJ.of.the-cluster\n").unwrap();
    let request = ask(|command, authority| in_a_cluster(command, authority, &file));
    assert_eq!(request.method, "POST");
    assert_eq!(request.target, "/tenant-1/oauth2/v2.0/token");
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    let form = parameters(std::str::from_utf8(&request.body).unwrap());
    let expected = [
        ("client_assertion", "eyJ.of.the-cluster"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_id", "client-of-the-cluster"),
        ("grant_type", "client_credentials"),
        ("scope", "https://management.azure.com/.default"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(form, BTreeMap::from(expected));
}

#[test]
fn a_federated_workload_can_be_refused_or_insisted_on() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let file = folder.path().join("token");
    fs::write(&file, "eyJ.of.the-cluster").unwrap();
    for (file, switch) in [(&absent, ""), (&file, "false")] {
        let request = ask(|command, vendor| {
            in_a_cluster(command, vendor, file);
            on_a_machine(command, vendor);
            command.env("INFISICAL_AZURE_AUTH_USE_WORKLOAD_IDENTITY", switch);
        });
        assert_eq!(request.method, "GET", "the metadata service was asked");
    }
    let server = Server::start([]);
    let vendor = Server::start([]);
    let mut command = login("azure", &server);
    in_a_cluster(&mut command, &vendor, &absent);
    command.env("INFISICAL_AZURE_AUTH_USE_WORKLOAD_IDENTITY", "true");
    run(&mut command).ends_with(1).says("(`AZURE_FEDERATED_TOKEN_FILE`): No such file");
    run(command.env_remove("AZURE_TENANT_ID"))
        .ends_with(1)
        .says("this is not a federated workload of Azure");
    assert!(vendor.requests().is_empty() && server.requests().is_empty());
}

#[test]
fn what_azure_says_about_a_refusal_is_passed_on() {
    let reason = json!({ "error": "invalid_request", "error_description": "Identity not found" });
    let vendor = Server::start([Reply::json(400, reason)]);
    let server = Server::start([]);
    let mut command = login("azure", &server);
    on_a_machine(&mut command, &vendor);
    run(&mut command)
        .ends_with(1)
        .says("unable to authenticate with `azure`")
        .says("could not get an access token of Azure")
        .says("status 400, Identity not found");
    assert!(server.requests().is_empty());
}

#[test]
fn a_busy_metadata_service_is_asked_again() {
    let vendor = Server::start([Reply::error(429, "slower"), Reply::error(500, "x"), token()]);
    let server = Server::start([granted()]);
    let mut command = login("azure", &server);
    on_a_machine(&mut command, &vendor);
    proof_of(run(&mut command), &server, ROUTE);
    assert_eq!(vendor.requests().len(), 3);
}

#[cfg(target_os = "linux")]
#[test]
fn elsewhere_it_is_said_soon_and_with_what_was_tried() {
    use std::time::Instant;

    use crate::support::BlackHole;

    let server = Server::start([]);
    let hole = BlackHole::new();
    let url = format!("http://{}", hole.authority());
    let started = Instant::now();
    run(login("azure", &server).env("AZURE_POD_IDENTITY_AUTHORITY_HOST", &url))
        .ends_with(1)
        .says("this is not a machine of Azure")
        .says(&format!("nobody answers at `{url}`: it timed out"))
        .says("managed identity");
    let taken = started.elapsed().as_secs();
    assert!(taken < 4, "{taken} s; a second is what a connection may take");
    let aws = Server::start([Reply::text(404, "text/html", "<html>Not Found")]);
    run(login("azure", &server).env("AZURE_POD_IDENTITY_AUTHORITY_HOST", aws.url()))
        .ends_with(1)
        .says("what answers at")
        .says("is somebody else");
}
