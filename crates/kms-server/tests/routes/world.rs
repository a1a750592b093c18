//! Two organizations with one of everything in each, and how routes are asked for it.

use std::collections::BTreeMap;

use http::Method;
use kms_api::routes as paths;
use kms_server::route::{Access, Route};
use kms_standins::Cluster;
use kms_testkit::{Answer, Setup, Tenant, TestServer};
use serde_json::{Map, Value, json};

/// What an organization has, by the parameter that names it.
pub(crate) type Names = BTreeMap<&'static str, String>;

/// See the module.
pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) ours: Tenant,
    pub(crate) our_names: Names,
    pub(crate) theirs: Tenant,
    pub(crate) their_names: Names,
    document: Value,
    _cluster: Cluster,
}

impl World {
    pub(crate) async fn prepare() -> Self {
        let server = TestServer::with(Setup::calling_loopback()).await;
        let cluster = Cluster::start(json!({})).await;
        let ours = server.seed().await;
        let our_names = furnish(&server, &ours, "ours", &cluster).await;
        let theirs = server.seed_another("theirs").await;
        let their_names = furnish(&server, &theirs, "theirs", &cluster).await;
        let document = server.get("/api/docs/json").send().await.ok();
        Self { server, ours, our_names, theirs, their_names, document, _cluster: cluster }
    }

    /// Calls a route as one of the two, with these parameters and fields.
    pub(crate) async fn call(
        &self,
        tenant: &Tenant,
        route: &Route,
        names: &Names,
        fields: &Map<String, Value>,
    ) -> Answer {
        let mut path = filled(route.info.path, names);
        let query = fields.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let reads = route.method == Method::GET;
        if reads {
            path = format!("{path}?{query}");
        }
        let request = self.server.call(route.method.clone(), &path).bearer(&tenant.token);
        let request = if reads { request } else { request.json(json!(fields)) };
        request.send().await
    }

    /// The fields of a route's query or body, as documented.
    pub(crate) fn documented(&self, route: &Route) -> Vec<String> {
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = &self.document["paths"][route.info.path][method];
        let mut names = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" {
                names.push(parameter["name"].as_str().unwrap_or_default().to_owned());
            }
        }
        let content = &operation["requestBody"]["content"]["application/json"];
        self.properties(&content["schema"], &mut names);
        names
    }

    fn properties(&self, schema: &Value, names: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return self.properties(&self.document["components"]["schemas"][name], names);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.properties(part, names);
        }
        names
            .extend(schema["properties"].as_object().into_iter().flatten().map(|(k, _)| k.clone()));
    }
}

/// Where the routes about the instance are.
pub(crate) const INSTANCE: &str = "/api/v1/admin/";

/// All routes that ask who is there and let machines in.
pub(crate) fn routes() -> impl Iterator<Item = Route> {
    let machines = [Access::Bearer, Access::Anybody, Access::Identity];
    // Those about the instance belong to no organization, and answer no administrator of one.
    let of_tenants = |route: &Route| !route.info.path.starts_with(INSTANCE);
    let routes = kms_server::routes().into_iter().filter(of_tenants);
    routes.filter(move |route| machines.contains(&route.info.access))
}

pub(crate) fn filled(template: &str, names: &Names) -> String {
    let fill = |part: &'_ str| match parameter(template, part) {
        Some(name) => names.get(name).unwrap_or_else(|| panic!("{name}")).replace('/', "%2F"),
        None => part.to_owned(),
    };
    template.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// The name of a parameter; slugs are named after what they belong to.
fn parameter<'t>(template: &str, part: &'t str) -> Option<&'t str> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    match name {
        "slug" if template.contains("environments") => Some("environment"),
        "slug" if template.contains("tags") => Some("tagSlug"),
        // The older routes take a slug or an id in one place, by what follows.
        "slug" if template.contains("memberships") || template.contains("/roles") => {
            Some("projectId")
        }
        // The oldest routes of roles name a project by its slug where others have its id.
        "projectId" if template.starts_with("/api/v1/workspace/{projectId}/roles") => {
            Some("projectSlug")
        }
        "membershipId" if template.contains("{projectId}") => Some("projectMembershipId"),
        "slug" => Some("projectSlug"),
        name => Some(name),
    }
}

pub(crate) fn parameters(template: &str) -> Vec<&str> {
    template.split('/').filter_map(|part| parameter(template, part)).collect()
}

/// Fields with which every route goes as far as looking something up.
pub(crate) fn common_fields(names: &Names) -> Map<String, Value> {
    let fields = json!({
        "projectId": names["projectId"],
        "environment": names["environment"],
        "secretPath": "/",
        "path": "/",
        "name": "attacked",
        "slug": "attacked",
        "role": "viewer",
        "roles": [{ "role": "viewer" }],
        "username": "nobody@example.test",
        "permissions": [],
        "secretValue": "attacked",
        "sourceEnvironment": names["environment"],
        "destinationEnvironment": "dev",
        "secretIds": [names["secretId"]],
        "tagSlugs": [names["tagSlug"]],
        "version": 1,
        "at": "2030-01-01T00:00:00.000Z",
        "secrets": [{ "secretKey": "ATTACKED", "secretValue": "attacked" }],
        "import": { "environment": names["environment"], "path": "/attacked" },
        "folders": [{
            "id": names["folderIdOrName"],
            "environment": names["environment"],
            "name": "attacked",
            "path": "/",
        }],
    });
    fields.as_object().cloned().unwrap_or_default()
}

/// Puts two secrets into a place, and tells the id of the one at this path.
async fn keep_secrets(
    send: &impl AsyncFn(&str, Value) -> Value,
    path: &str,
    place: Value,
    label: &str,
) -> String {
    // The paths of these routes are also those of secrets of their names.
    let named = ["batch", "move", "duplicate"];
    let named = named.map(|name| json!({ "secretKey": name, "secretValue": label }));
    let mut body = place.clone();
    body["secrets"] = json!(named);
    send(paths::SECRETS_BATCH, body).await;
    let mut body = place;
    body["secretValue"] = format!("{label}-value").into();
    let made = send(path, body).await;
    made["secret"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// Makes a folder in a place and imports it there, and tells the ids of both.
async fn import_folder(
    send: &impl AsyncFn(&str, Value) -> Value,
    place: &Value,
    folder: &str,
) -> (String, String) {
    let text = |made: &Value| made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let mut body = place.clone();
    body["name"] = folder.into();
    let made = text(&send(paths::FOLDERS, body).await["folder"]);
    let mut body = place.clone();
    body["import"] = json!({ "environment": place["environment"], "path": format!("/{folder}") });
    (made, text(&send(paths::SECRET_IMPORTS, body).await["secretImport"]))
}

/// Makes a role of a project, and tells its id.
async fn make_role(send: &impl AsyncFn(&str, Value) -> Value, path: &str, label: &str) -> String {
    let body = json!({ "slug": format!("{label}-role"), "name": label, "permissions": [] });
    let made = send(path, body).await;
    made["role"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// The settings of an identity provider that is not used.
fn identity_provider(label: &str) -> Value {
    json!({
        "configurationType": "discoveryURL",
        "discoveryURL": "https://id.example.com/.well-known/openid-configuration",
        "clientId": label,
        "clientSecret": format!("{label}-client-secret"),
        "isActive": false,
    })
}

/// The methods that others vouch for, with settings that are safe and that nobody logs in by.
fn external_methods(label: &str, cluster: &Cluster) -> [(&'static str, Value); 6] {
    [
        (
            paths::KUBERNETES_AUTH,
            json!({ "kubernetesHost": cluster.peer.url(), "allowedNamespaces": label }),
        ),
        (paths::AZURE_AUTH, json!({ "tenantId": label })),
        (paths::GCP_AUTH, json!({ "type": "gce", "allowedProjects": label })),
        (paths::AWS_AUTH, json!({ "allowedAccountIds": "123456789012" })),
        (
            paths::OIDC_AUTH,
            json!({
                "oidcDiscoveryUrl": "https://id.example.com",
                "boundIssuer": "https://id.example.com",
                "boundSubject": label,
            }),
        ),
        (
            paths::JWT_AUTH,
            json!({
                "configurationType": "jwks",
                "jwksUrl": "https://id.example.com/keys",
                "boundSubject": label,
            }),
        ),
    ]
}

/// Attaches them to the identity.
async fn attach_external(
    send: &impl AsyncFn(&str, Value) -> Value,
    at: impl Fn(&str) -> String,
    label: &str,
    cluster: &Cluster,
) {
    for (path, settings) in external_methods(label, cluster) {
        send(&at(path), settings).await;
    }
}

/// Puts one of everything into an organization, and tells how it is named.
#[expect(clippy::too_many_lines, reason = "one line for each thing that a tenant has")]
async fn furnish(server: &TestServer, tenant: &Tenant, label: &str, cluster: &Cluster) -> Names {
    let send = async |path: &str, body: Value| {
        server.post(path).bearer(&tenant.token).json(body).send().await.ok()
    };
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
    let project = tenant.made.project.id.to_string();
    let identity = tenant.made.machine_identity.id.to_string();
    let at = |template: &str| {
        let names = Names::from([
            ("projectId", project.clone()),
            ("identityId", identity.clone()),
            ("secretName", format!("{label}-secret")),
        ]);
        filled(template, &names)
    };
    let environment = format!("{label}-environment");
    let body = json!({ "name": label, "slug": environment });
    let made = send(&at(paths::PROJECT_ENVIRONMENTS), body).await;
    let environment_id = text(&made["environment"]["id"]);
    let place = json!({ "projectId": project, "environment": environment, "path": "/" });
    let folder_name = format!("{label}-folder");
    let (folder, import) = import_folder(&send, &place, &folder_name).await;
    let secret = keep_secrets(&send, &at(paths::SECRET), place, label).await;
    let tag = json!({ "slug": format!("{label}-tag"), "color": "" });
    let tag = text(&send(&at(paths::TAGS), tag).await["tag"]["id"]);
    let client = text(&send(&at(paths::CLIENT_SECRETS), json!({})).await["clientSecretData"]["id"]);
    send(&at(paths::TOKEN_AUTH), json!({})).await;
    attach_external(&send, &at, label, cluster).await;
    let made = send(&at(paths::TOKEN_AUTH_TOKENS), json!({ "name": label })).await;
    let body = json!({ "name": format!("{label}-team") });
    let sub = text(&send(paths::SUB_ORGANIZATIONS, body).await["organization"]["id"]);
    send(paths::OIDC_CONFIG, identity_provider(label)).await;
    let role = make_role(&send, &at(paths::PROJECT_ROLES), label).await;
    let read = async |path: &str| server.get(path).bearer(&tenant.token).send().await.ok();
    let organization = tenant.made.organization.id.to_string();
    let names = Names::from([("organizationId", organization.clone())]);
    let people = read(&filled(paths::ORGANIZATION_MEMBERSHIPS, &names)).await;
    let in_project = read(&at(paths::PROJECT_MEMBERSHIPS)).await;
    Names::from([
        ("clientSecretId", client),
        ("environment", environment),
        ("environmentId", environment_id),
        ("folderId", folder.clone()),
        ("folderIdOrName", folder),
        ("identityId", identity),
        ("orgId", organization.clone()),
        ("membershipId", text(&people["users"][0]["id"])),
        ("organizationId", organization),
        ("projectMembershipId", text(&in_project["memberships"][0]["id"])),
        ("subOrganizationId", sub),
        ("path", folder_name),
        ("projectId", project.clone()),
        ("projectSlug", tenant.made.project.slug.clone()),
        ("roleId", role),
        ("roleSlug", format!("{label}-role")),
        ("secretId", secret),
        ("secretImportId", import),
        ("secretName", format!("{label}-secret")),
        ("tagId", tag),
        ("tagSlug", format!("{label}-tag")),
        ("tokenId", text(&made["tokenData"]["id"])),
        ("workspaceId", project),
        ("workspaceSlug", tenant.made.project.slug.clone()),
    ])
}
