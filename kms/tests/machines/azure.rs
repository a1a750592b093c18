//! Azure: the metadata service of its machines, and the keys that its directory signs with.

use std::{collections::HashMap, sync::Arc};

use serde_json::json;

use crate::{
    issuer::{Issuer, now},
    place::Place,
    support::{Reply, Server as StandIn},
};

const TENANT: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const OTHER_TENANT: &str = "11111111-2222-3333-4444-555555555555";
const PRINCIPAL: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const CLIENT: &str = "99999999-8888-7777-6666-555555555555";
/// The issuer of a sovereign cloud.
const ISSUER: &str = "https://sts.chinacloudapi.cn";
const LOGIN: &str = "login-identity-azure-auth";
const REFUSED: &str = "login-identity-azure-auth-failed";

/// An access token of version 1.
fn token(directory: &Issuer, tenant: &str, resource: &str) -> String {
    let issuer = format!("{ISSUER}/{tenant}/");
    directory.sign(&json!({
        "aud": resource, "iss": issuer, "iat": now(), "nbf": now(), "exp": now() + 86_400,
        "aio": "E2NgYHhS1cJ6", "appid": CLIENT, "appidacr": "2", "idp": issuer, "idtyp": "app",
        "oid": PRINCIPAL, "rh": "0.AX", "sub": PRINCIPAL, "tid": tenant, "uti": "l5Jx",
        "ver": "1.0",
    }))
}

/// The metadata service of a machine in a tenant: tokens of version 1, asked for as
/// <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
/// tells.
fn machine(directory: &Arc<Issuer>, tenant: &'static str) -> StandIn {
    let directory = Arc::clone(directory);
    StandIn::answers(move |request| {
        let (path, query) = request.target.split_once('?').unwrap_or_default();
        let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let refuse = |text| Reply::json(400, json!({ "error": text, "error_description": text }));
        if request.method != "GET" || path != "/metadata/identity/oauth2/token" {
            return Reply::text(404, "text/plain", "");
        }
        if request.header("metadata") != Some("true") {
            return refuse("Required metadata header not specified");
        }
        if query.get("api-version").map(String::as_str) != Some("2018-02-01") {
            return refuse("The api-version is invalid");
        }
        let Some(resource) = query.get("resource") else { return refuse("resource is missing") };
        let until = (now() + 86_400).to_string();
        Reply::json(
            200,
            json!({
                "access_token": token(&directory, tenant, resource), "client_id": CLIENT,
                "expires_in": "86400", "expires_on": until,
                "ext_expires_in": "86399", "not_before": now().to_string(),
                "resource": resource, "token_type": "Bearer",
            }),
        )
    })
}

/// A directory that signs for all its tenants with one key, as Azure's does, and a place that asks
/// it for that.
fn place(directory: &Issuer) -> (Place, StandIn) {
    let mut key = directory.jwk();
    key["x5t"] = directory.kid.into();
    key["x5c"] = json!([directory.x5c()]);
    // Azure names none.
    key.as_object_mut().unwrap().remove("alg");
    let keys = json!({ "keys": [key] });
    let published = StandIn::answers(move |request| {
        let of = |tenant| format!("/{tenant}/discovery/keys");
        if [of(TENANT), of(OTHER_TENANT)].contains(&request.target) {
            return Reply::json(200, keys.clone());
        }
        Reply::json(400, json!({ "error": "invalid_tenant" }))
    });
    let authority = format!("--azure-authority-url={}", published.url());
    (Place::start(&[&authority, &format!("--azure-issuer-url={ISSUER}")]), published)
}

fn login(place: &Place, identity: &str, machine: &StandIn) -> assert_cmd::Command {
    let mut command = place.login("azure", identity);
    command.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", machine.url());
    command
}

#[test]
fn a_managed_identity_is_admitted_by_its_tenant() {
    let directory = Arc::new(Issuer::new("nOo3ZDrODXEK1jKWhXslHR_KXEg"));
    let (place, published) = place(&directory);
    let machine = machine(&directory, TENANT);
    // Whether the audience ends with a slash is no difference.
    for (resource, asked) in [
        ("https://management.azure.com/", "https://management.azure.com/"),
        ("api://kms/", "api://kms"),
    ] {
        let identity = place.machine_with(
            "azure-auth",
            &json!({
                "tenantId": TENANT.to_uppercase(), "resource": resource,
                "allowedServicePrincipalIds": PRINCIPAL,
            }),
        );
        let mut login = login(&place, &identity, &machine);
        let said = place.admits(login.args(["--azure-resource", asked]), LOGIN);
        assert_eq!(said["identityId"], identity);
        assert_eq!(
            (&said["tenantId"], &said["servicePrincipalId"]),
            (&json!(TENANT), &json!(PRINCIPAL))
        );
    }
    assert_eq!(published.requests().len(), 1, "keys are kept");
    assert_eq!(machine.requests().len(), 2, "once for each login");
}

#[test]
fn c8_tenant_principal_and_resource_are_the_identitys() {
    let directory = Arc::new(Issuer::new("nOo3ZDrODXEK1jKWhXslHR_KXEg"));
    let (place, _published) = place(&directory);
    let here = machine(&directory, TENANT);
    let elsewhere = machine(&directory, OTHER_TENANT);
    let imposter = machine(&Arc::new(Issuer::new(directory.kid)), TENANT);
    let someone = "00000000-bbbb-cccc-dddd-eeeeeeeeeeee";
    let identity = |principal: &str| {
        let settings = json!({ "tenantId": TENANT, "allowedServicePrincipalIds": principal });
        place.machine_with("azure-auth", &settings)
    };
    let tenant = "Access denied: the token is not of this tenant";
    let resource = "Access denied: the token is for another resource";
    let principal = format!("Service principal '{PRINCIPAL}' not allowed");
    for (machine, principals, asked, text, reason) in [
        (&here, someone, "https://management.azure.com/", principal.as_str(), principal.as_str()),
        (&here, PRINCIPAL, "https://vault.azure.net", resource, resource),
        (&elsewhere, PRINCIPAL, "https://management.azure.com/", tenant, tenant),
        (
            &imposter,
            PRINCIPAL,
            "https://management.azure.com/",
            "Invalid credentials",
            "the signature does not hold",
        ),
    ] {
        let mut login = login(&place, &identity(principals), machine);
        login.args(["--azure-resource", asked]);
        place.refuses(&mut login, text, REFUSED, reason);
    }
}

/// A workload of a cluster exchanges its own token at the directory, as the identity platform
/// documents client credentials with a federated credential.
#[test]
fn a_federated_workload_is_admitted_by_its_tenant() {
    let directory = Arc::new(Issuer::new("nOo3ZDrODXEK1jKWhXslHR_KXEg"));
    let (place, _published) = place(&directory);
    let signs = Arc::clone(&directory);
    let exchange = StandIn::answers(move |request| {
        let form: HashMap<_, _> = form_urlencoded::parse(&request.body).into_owned().collect();
        let says = |name: &str, value: &str| form.get(name).is_some_and(|said| said == value);
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let genuine = request.method == "POST"
            && request.target == format!("/{TENANT}/oauth2/v2.0/token")
            && says("grant_type", "client_credentials")
            && says("client_id", CLIENT)
            && says("client_assertion_type", kind)
            && says("client_assertion", "eyJ.of.the-cluster")
            && says("scope", "https://management.azure.com/.default");
        if !genuine {
            return Reply::json(400, json!({ "error": "invalid_request" }));
        }
        let token = token(&signs, TENANT, "https://management.azure.com/");
        let answer = json!({ "token_type": "Bearer", "expires_in": 86_399, "access_token": token });
        Reply::json(200, answer)
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("azure-identity-token");
    std::fs::write(&file, "eyJ.of.the-cluster").unwrap();
    let settings = json!({ "tenantId": TENANT, "allowedServicePrincipalIds": PRINCIPAL });
    let identity = place.machine_with("azure-auth", &settings);
    let mut login = place.login("azure", &identity);
    login.env("AZURE_CLIENT_ID", CLIENT).env("AZURE_TENANT_ID", TENANT);
    login.env("AZURE_FEDERATED_TOKEN_FILE", file).env("AZURE_AUTHORITY_HOST", exchange.url());
    assert_eq!(place.admits(&mut login, LOGIN)["servicePrincipalId"], PRINCIPAL);
    assert_eq!(exchange.requests().len(), 1);
}
