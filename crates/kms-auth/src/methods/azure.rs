//! Azure: an access token of a managed identity or service principal.

use kms_api::{
    auth::azure::{Azure, Config, Proof, Settings},
    error::Issue,
};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{VENDOR_LIFETIME, Verify};
use crate::{
    AuthError, Login, Principal,
    check::{Check, admits, items},
    jwt::Unverified,
    keys::KeySet,
    outbound::{OutboundPolicy, Trust},
};

/// The audience of tokens unless told otherwise (wire contract, Azure auth).
const RESOURCE: &str = "https://management.azure.com/";
/// Tenants that are everybody's.
const NOT_A_TENANT: [&str; 3] = ["common", "organizations", "consumers"];

impl Verify for Azure {
    fn configure(
        current: Option<&Config>,
        settings: &Settings,
        _: &OutboundPolicy,
    ) -> Result<Config, Vec<Issue>> {
        let mut check = Check::default();
        let (new, old) = (settings, current);
        let tenant = check.setting("tenantId", new.tenant_id.as_ref(), old.map(|c| &c.tenant_id));
        let resource = check.setting("resource", new.resource.as_ref(), old.map(|c| &c.resource));
        let config = Config {
            tenant_id: tenant.to_ascii_lowercase(),
            resource: if resource.is_empty() { RESOURCE.into() } else { resource },
            allowed_service_principal_ids: check.list(
                "allowedServicePrincipalIds",
                new.allowed_service_principal_ids.as_ref(),
                old.map(|c| &c.allowed_service_principal_ids),
            ),
        };
        // It becomes a part of the address of the keys and of the issuer.
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let is_tenant = (1..=64).contains(&config.tenant_id.len())
            && config.tenant_id.chars().all(letters)
            && !NOT_A_TENANT.contains(&config.tenant_id.as_str());
        check.require(is_tenant, "tenantId", "Must be the id of one tenant");
        let is_id = |id: &str| id.len() <= 64 && id.chars().all(letters);
        check.require(
            items(&config.allowed_service_principal_ids).all(is_id),
            "allowedServicePrincipalIds",
            "Must be object ids",
        );
        check.finish(config)
    }

    async fn verify(
        config: &Config,
        proof: &Proof,
        login: Login<'_>,
    ) -> Result<Principal, AuthError> {
        let token = Unverified::read(proof.jwt.expose_secret())?;
        let verifier = login.verifier;
        let kid = token.kid().map(str::to_owned);
        let kid = kid.ok_or_else(|| AuthError::unverified("names no key"))?;
        let tenant = &config.tenant_id;
        let url = format!("{}/{tenant}/discovery/keys", verifier.endpoints.azure_authority);
        let wanted = |keys: &KeySet| keys.get(&kid).is_some();
        let keys = verifier
            .key_sets
            .get(&verifier.outbound, &url, &Trust::public(), login.now, wanted)
            .await?;
        let claims = token.verified_by(&keys)?;
        claims.require_current(login.now, VENDOR_LIFETIME)?;
        let issuer = format!("{}/{tenant}/", verifier.endpoints.azure_issuer);
        if claims.text("iss") != Some(issuer.as_str()) {
            return Err(AuthError::denied("Access denied: the token is not of this tenant"));
        }
        if claims.text("tid") != Some(tenant.as_str()) {
            return Err(AuthError::denied("Tenant ID mismatch"));
        }
        // A person's token for some application, which has a scope, is not a service principal's.
        if claims.get("scp").is_some() {
            return Err(AuthError::denied("Access denied: not a token of a service principal"));
        }
        let audience = claims.text("aud").unwrap_or_default();
        let resource = config.resource.as_str();
        let without_slash = resource.strip_suffix('/').unwrap_or(resource);
        if audience != resource && audience != without_slash {
            return Err(AuthError::denied("Access denied: the token is for another resource"));
        }
        let principal = claims.text("oid").unwrap_or_default();
        if principal.is_empty() || !admits(&config.allowed_service_principal_ids, principal) {
            let refusal = format!("Service principal '{principal}' not allowed");
            return Err(AuthError::denied(refusal));
        }
        let facts = json!({ "tenantId": tenant, "servicePrincipalId": principal });
        Ok(Principal::of("azure", facts)
            .fact("tenantId", tenant)
            .fact("servicePrincipalId", principal))
    }
}
