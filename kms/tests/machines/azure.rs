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
/// The issuer of a sovereign cloud.
const ISSUER: &str = "https://sts.chinacloudapi.cn";
const LOGIN: &str = "login-identity-azure-auth";
const REFUSED: &str = "login-identity-azure-auth-failed";

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
        let (from, until) = (now(), now() + 86_400);
        let token = directory.sign(&json!({
            "aud": resource, "iss": format!("{ISSUER}/{tenant}/"),
            "iat": from, "nbf": from, "exp": until, "aio": "E2NgYHhS1cJ6",
            "appid": "99999999-8888-7777-6666-555555555555", "appidacr": "2",
            "idp": format!("{ISSUER}/{tenant}/"), "idtyp": "app", "oid": PRINCIPAL,
            "rh": "0.AX", "sub": PRINCIPAL, "tid": tenant, "uti": "l5Jx", "ver": "1.0",
            "xms_mirid": "/subscriptions/1/resourcegroups/g/providers/Microsoft.Compute/virtualMachines/vm",
        }));
        Reply::json(
            200,
            json!({
                "access_token": token, "client_id": "99999999-8888-7777-6666-555555555555",
                "expires_in": "86400", "expires_on": until.to_string(),
                "ext_expires_in": "86399", "not_before": from.to_string(),
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
        (&imposter, PRINCIPAL, "https://management.azure.com/", "Invalid credentials", "signature"),
    ] {
        let mut login = login(&place, &identity(principals), machine);
        login.args(["--azure-resource", asked]);
        place.refuses(&mut login, text, REFUSED, reason);
    }
}
