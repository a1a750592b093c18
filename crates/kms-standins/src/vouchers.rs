//! One of everybody who vouches for machines, what each method is configured with to believe them,
//! and the proof that a machine of theirs has.

use serde_json::{Value, json};

use crate::{
    ACCOUNT, Client, Cluster, GOOD_TOKEN, Peer, REVIEWER, Signer, Sts, json as answer, status,
};

/// The methods, as rows and routes call them.
pub const METHODS: [&str; 6] =
    ["kubernetes-auth", "azure-auth", "gcp-auth", "aws-auth", "oidc-auth", "jwt-auth"];
/// The tenant of Azure.
pub const TENANT: &str = "6a7d1c2e-0000-4000-8000-000000000001";
/// The principal of that tenant.
pub const PRINCIPAL: &str = "11111111-0000-4000-8000-000000000003";
/// The service account of Google's cloud.
pub const SERVICE_ACCOUNT: &str = "app@proj.iam.gserviceaccount.com";
/// The subject of the tokens of an OpenID provider, and of a JWT.
pub const SUBJECT: &str = "repo:octo/app";

/// See the module.
pub struct Vouchers {
    /// The Kubernetes cluster.
    pub cluster: Cluster,
    /// OpenID provider, directory of Azure and key servers of Google; all sign with one key.
    pub issuer: Peer,
    /// AWS STS.
    pub sts: Sts,
}

impl Vouchers {
    /// All of them, on this machine.
    pub async fn start() -> Self {
        let sts = Sts::start(false).await;
        Self { cluster: Cluster::start(json!({})).await, issuer: issuer().await, sts }
    }

    /// Where Azure's directory is.
    pub fn azure_authority(&self) -> String {
        self.issuer.url()
    }

    /// Where the keys of Google are.
    pub fn google_keys(&self) -> String {
        format!("{}/keys", self.issuer.url())
    }

    /// What a method is attached with.
    pub fn settings(&self, method: &str) -> Value {
        let issuer = self.issuer.url();
        match method {
            "kubernetes-auth" => json!({
                "kubernetesHost": self.cluster.peer.url(), "tokenReviewerJwt": REVIEWER,
                "allowedNamespaces": "apps", "allowedNames": "web", "allowedAudience": "kms",
            }),
            "azure-auth" => json!({
                "tenantId": TENANT, "resource": "api://kms", "allowedServicePrincipalIds": PRINCIPAL,
            }),
            "gcp-auth" => json!({
                "type": "gce", "allowedServiceAccounts": SERVICE_ACCOUNT,
                "allowedProjects": "proj", "allowedZones": "europe-west1-b",
            }),
            "aws-auth" => json!({
                "allowedAccountIds": ACCOUNT,
                "allowedPrincipalArns": format!("arn:aws:iam::{ACCOUNT}:role/App"),
            }),
            "oidc-auth" => json!({
                "oidcDiscoveryUrl": issuer, "boundIssuer": issuer, "boundAudiences": "kms",
                "boundSubject": SUBJECT, "boundClaims": { "env": "prod" },
                "claimMetadataMapping": { "team": "org.team" },
            }),
            _ => json!({
                "configurationType": "static", "publicKeys": [Signer::rsa().pair().public_key_pem()],
                "boundIssuer": issuer, "boundAudiences": "kms", "boundSubject": SUBJECT,
                "boundClaims": { "env": "prod" },
            }),
        }
    }

    /// What the token of a machine says at `now` in Unix seconds; nothing where it is no JWT.
    pub fn claims(&self, method: &str, identity: &str, now: i64) -> Value {
        let issuer = self.issuer.url();
        let mut claims = match method {
            "azure-auth" => json!({
                "iss": format!("https://sts.windows.net/{TENANT}/"), "tid": TENANT,
                "oid": PRINCIPAL, "aud": "api://kms", "ver": "1.0",
            }),
            "gcp-auth" => json!({
                "iss": "https://accounts.google.com", "aud": identity, "sub": "1122",
                "email": SERVICE_ACCOUNT, "email_verified": true,
                "google": { "compute_engine": { "project_id": "proj", "zone": "europe-west1-b" } },
            }),
            "oidc-auth" | "jwt-auth" => json!({
                "iss": issuer, "sub": SUBJECT, "aud": "kms", "env": "prod",
                "org": { "team": "red" },
            }),
            _ => return Value::Null,
        };
        claims["iat"] = now.into();
        claims["exp"] = (now + 300).into();
        claims
    }

    /// What a machine sends at `now` in Unix seconds, as JSON.
    pub fn proof(&self, method: &str, identity: &str, now: i64) -> Value {
        if method == "aws-auth" {
            let client = Client::node().when(now).as_identity(identity.parse().unwrap());
            return json!(client.proof());
        }
        let claims = self.claims(method, identity, now);
        let jwt =
            if claims.is_null() { GOOD_TOKEN.to_owned() } else { Signer::rsa().sign(&claims) };
        json!({ "identityId": identity, "jwt": jwt })
    }
}

async fn issuer() -> Peer {
    let keys = json!({ "keys": [Signer::rsa().jwk()] });
    let directory = format!("/{TENANT}/discovery/keys");
    Peer::http(move |request| {
        let host = request.headers().get("host").and_then(|host| host.to_str().ok());
        let own = format!("http://{}", host.unwrap_or_default());
        match request.uri().path() {
            "/.well-known/openid-configuration" => {
                answer(&json!({ "issuer": own, "jwks_uri": format!("{own}/keys") }))
            }
            "/keys" => answer(&keys),
            path if path == directory => answer(&keys),
            _ => status(404),
        }
    })
    .await
}
