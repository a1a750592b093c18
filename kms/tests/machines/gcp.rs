//! Google Cloud: its metadata server, the keys that it signs with, and service accounts.

use std::{collections::HashMap, fs, path::PathBuf, sync::Arc};

use serde_json::{Value, json};

use crate::{
    issuer::{Issuer, now},
    place::Place,
    support::{Reply, Request, Server as StandIn},
};

const ACCOUNT: &str = "deploy@my-project.iam.gserviceaccount.com";
const LOGIN: &str = "login-identity-gcp-auth";
const REFUSED: &str = "login-identity-gcp-auth-failed";
const UNKNOWN_KEY: &str = "signed with an unknown key";
const FORGED: &str = "the signature does not hold";

/// Path and parameters of a request.
fn parts(request: &Request) -> (&str, HashMap<String, String>) {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    (path, form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// The metadata server of a machine in a zone, or of what has none (Cloud Run). It is asked as
/// <https://cloud.google.com/compute/docs/instances/verifying-instance-identity> tells.
fn machine(google: &Arc<Issuer>, zone: Option<&'static str>) -> StandIn {
    let google = Arc::clone(google);
    StandIn::answers(move |request| {
        let (path, query) = parts(request);
        if request.header("metadata-flavor") != Some("Google") || request.method != "GET" {
            return Reply::text(403, "text/html", "Missing required header");
        }
        if path != "/computeMetadata/v1/instance/service-accounts/default/identity" {
            return Reply::text(404, "text/html", "Not Found");
        }
        let mut claims = json!({
            "aud": query["audience"], "azp": "112233445566778899000", "sub": "112233445566778899000",
            "email": ACCOUNT, "email_verified": true, "iss": "https://accounts.google.com",
            "iat": now(), "exp": now() + 3_600,
        });
        if let (Some(zone), Some("full")) = (zone, query.get("format").map(String::as_str)) {
            claims["google"] = json!({ "compute_engine": {
                "instance_creation_timestamp": now() - 60, "instance_id": "1234567890123456789",
                "instance_name": "vm-1", "project_id": "my-project", "project_number": 987_654_321,
                "zone": zone,
            } });
        }
        let token = google.sign(&claims);
        Reply::text(200, "text/html", &token).with("metadata-flavor", "Google")
    })
}

/// The keys of Google, and a place that asks for them.
fn place(google: &Issuer) -> (Place, StandIn) {
    let keys = json!({ "keys": [google.jwk()] });
    let published = StandIn::answers(move |request| match request.target.as_str() {
        "/oauth2/v3/certs" => Reply::json(200, keys.clone()),
        _ => Reply::text(404, "text/html", "Not Found"),
    });
    let flag = format!("--google-keys-url={}/oauth2/v3/certs", published.url());
    (Place::start(&[&flag]), published)
}

fn login(place: &Place, identity: &str, machine: &StandIn) -> assert_cmd::Command {
    let mut command = place.login("gcp-id-token", identity);
    command.env("GCE_METADATA_HOST", machine.url().replace("http://", ""));
    command
}

#[test]
fn an_instance_is_admitted_by_the_word_of_google() {
    let google = Arc::new(Issuer::new("0a1b2c3d"));
    let (place, published) = place(&google);
    let machine = machine(&google, Some("europe-west3-a"));
    let identity = place.machine_with(
        "gcp-auth",
        &json!({
            "type": "gce", "allowedServiceAccounts": ACCOUNT,
            "allowedProjects": "other, my-project", "allowedZones": "europe-west3-a",
        }),
    );
    let said = place.admits(&mut login(&place, &identity, &machine), LOGIN);
    assert_eq!(said["identityId"], identity);
    assert_eq!(said["serviceAccount"], ACCOUNT);
    assert_eq!(
        (&said["projectId"], &said["zone"]),
        (&json!("my-project"), &json!("europe-west3-a"))
    );
    place.admits(&mut login(&place, &identity, &machine), LOGIN);
    assert_eq!(published.requests().len(), 1, "keys are kept");
    assert_eq!(machine.requests().len(), 2, "once for each login");
}

#[test]
fn c6_what_is_limited_must_be_in_the_token() {
    let google = Arc::new(Issuer::new("0a1b2c3d"));
    let (place, _published) = place(&google);
    let here = machine(&google, Some("europe-west3-a"));
    let nowhere = machine(&google, None);
    let cases: [(Value, &StandIn, &str); 4] = [
        (
            json!({ "allowedServiceAccounts": "other@my-project.iam.gserviceaccount.com" }),
            &here,
            "Access denied: GCP service account not allowed.",
        ),
        (
            json!({ "allowedServiceAccounts": ACCOUNT, "allowedProjects": "my-project-2" }),
            &here,
            "Access denied: GCP project not allowed.",
        ),
        (
            json!({ "allowedServiceAccounts": ACCOUNT, "allowedZones": "europe-west3-b" }),
            &here,
            "Access denied: GCP zone not allowed.",
        ),
        (
            json!({ "allowedServiceAccounts": ACCOUNT, "allowedProjects": "my-project" }),
            &nowhere,
            "Access denied: GCP project not allowed.",
        ),
    ];
    for (mut settings, machine, text) in cases {
        settings["type"] = "gce".into();
        let identity = place.machine_with("gcp-auth", &settings);
        place.refuses(&mut login(&place, &identity, machine), text, REFUSED, text);
    }
    // Somebody else's key under Google's name for its own.
    let imposter = machine(&Arc::new(Issuer::new("0a1b2c3d")), Some("europe-west3-a"));
    let settings = json!({ "type": "gce", "allowedServiceAccounts": ACCOUNT });
    let identity = place.machine_with("gcp-auth", &settings);
    let mut login = login(&place, &identity, &imposter);
    place.refuses(&mut login, "Invalid credentials", REFUSED, FORGED);
}

/// The key file of a service account, as Google hands it out.
fn key_file(folder: &tempfile::TempDir, key: &Issuer) -> PathBuf {
    let path = folder.path().join(format!("{}.json", key.kid));
    let content = json!({
        "type": "service_account", "project_id": "my-project", "private_key_id": key.kid,
        "private_key": key.private_key(), "client_email": ACCOUNT, "client_id": "1234567890",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    fs::write(&path, content.to_string()).unwrap();
    path
}

#[test]
fn a_service_account_is_admitted_by_its_published_certificate() {
    let key = Issuer::new("aaaa1111");
    let certificates = json!({ "bbbb2222": Issuer::new("bbbb2222").certificate(),
        "aaaa1111": key.certificate() });
    let google = Arc::new(Issuer::new("0a1b2c3d"));
    let keys = json!({ "keys": [google.jwk()] });
    let published = StandIn::answers(move |request| match request.target.as_str() {
        "/metadata/x509/deploy%40my-project.iam.gserviceaccount.com" => {
            Reply::json(200, certificates.clone())
        }
        "/oauth2/v3/certs" => Reply::json(200, keys.clone()),
        _ => Reply::text(404, "text/html", "Not Found"),
    });
    let keys = format!("--google-keys-url={}/oauth2/v3/certs", published.url());
    let certificates = format!("--google-certificates-url={}/metadata/x509", published.url());
    let place = Place::start(&[&keys, &certificates]);
    let folder = tempfile::tempdir().unwrap();
    let login = |identity: &str, key: &Issuer| {
        let mut command = place.login("gcp-iam", identity);
        command.arg("--service-account-key-file-path").arg(key_file(&folder, key));
        command
    };
    let settings = json!({ "type": "iam", "allowedServiceAccounts": ACCOUNT });
    let identity = place.machine_with("gcp-auth", &settings);
    let said = place.admits(&mut login(&identity, &key), LOGIN);
    assert_eq!((&said["serviceAccount"], &said["zone"]), (&json!(ACCOUNT), &Value::Null));

    let wrong = "Invalid credentials";
    // A key that was revoked, and one that takes the name of another.
    let revoked = Issuer::new("cccc3333");
    place.refuses(&mut login(&identity, &revoked), wrong, REFUSED, UNKNOWN_KEY);
    place.refuses(&mut login(&identity, &Issuer::new("aaaa1111")), wrong, REFUSED, FORGED);
    let other = json!({ "allowedServiceAccounts": "a@my-project.iam.gserviceaccount.com" });
    let (status, body) = place.change(&identity, "gcp-auth", &other);
    assert_eq!(status, 200, "{body}");
    let asked = published.requests().len();
    place.refuses(
        &mut login(&identity, &key),
        wrong,
        REFUSED,
        "the service account is not allowed",
    );
    assert_eq!(published.requests().len(), asked, "nobody is asked about accounts without a say");

    // C5: what a service account signs is no word of Google's, nor the other way round.
    let settings = json!({ "type": "gce", "allowedServiceAccounts": ACCOUNT });
    let instances = place.machine_with("gcp-auth", &settings);
    place.refuses(&mut login(&instances, &key), wrong, REFUSED, UNKNOWN_KEY);
    let machine = machine(&google, Some("europe-west3-a"));
    let mut command = self::login(&place, &identity, &machine);
    let reason = "the subject is no service account";
    place.refuses(&mut command, wrong, REFUSED, reason);
}
