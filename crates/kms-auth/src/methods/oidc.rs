//! OIDC: a token of an OpenID provider, found by its discovery document.

use kms_api::{
    auth::oidc::{Config, Oidc, Proof, Settings},
    error::Issue,
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::{LONGEST_LIFETIME, Verify};
use crate::{
    AuthError, Login, Principal,
    bound::{Bound, MAX_CLAIMS, is_name, present, stored},
    check::{Check, kept},
    glob::Stars,
    jwt::{Claims, MAX_TRIED, Unverified},
    keys::{KeyError, KeySet, remote::Weigh},
    outbound::{OutboundPolicy, Target, Trust},
};

/// Where a provider's discovery document is (OpenID Connect Discovery 1.0).
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// The longest address in a discovery document that is remembered, in bytes.
const MAX_URL: usize = 2_048;
/// Providers that publish their keys on another host of theirs.
const KEYS_ELSEWHERE: [(&str, &str); 1] = [("accounts.google.com", "www.googleapis.com")];

impl Verify for Oidc {
    fn configure(
        current: Option<&Config>,
        settings: &Settings,
        policy: &OutboundPolicy,
    ) -> Result<Config, Vec<Issue>> {
        let mut check = Check::default();
        let (new, old) = (settings, current);
        let url = check.setting(
            "oidcDiscoveryUrl",
            new.oidc_discovery_url.as_ref(),
            old.map(|c| &c.oidc_discovery_url),
        );
        let config = Config {
            oidc_discovery_url: url.trim_end_matches('/').to_owned(),
            ca_cert: kept(new.ca_cert.as_ref(), old.map(|c| &c.ca_cert)),
            bound_issuer: check.setting(
                "boundIssuer",
                new.bound_issuer.as_ref(),
                old.map(|c| &c.bound_issuer),
            ),
            bound_audiences: check.list(
                "boundAudiences",
                new.bound_audiences.as_ref(),
                old.map(|c| &c.bound_audiences),
            ),
            bound_claims: stored(kept(new.bound_claims.as_ref(), old.map(|c| &c.bound_claims))),
            bound_subject: check.setting(
                "boundSubject",
                new.bound_subject.as_ref(),
                old.map(|c| &c.bound_subject),
            ),
            claim_metadata_mapping: kept(
                new.claim_metadata_mapping.as_ref(),
                old.map(|c| &c.claim_metadata_mapping),
            ),
        };
        check.url("oidcDiscoveryUrl", &config.oidc_discovery_url, policy);
        check.certificates("caCert", &config.ca_cert);
        check.require(!config.bound_issuer.is_empty(), "boundIssuer", "Must name the issuer");
        let bound = bound(&config);
        bound.check(&mut check);
        bound.check_shared(&mut check, &config.bound_issuer);
        let mapping = &config.claim_metadata_mapping;
        let complete = mapping.iter().all(|(name, path)| is_name(name) && is_name(path));
        check.require(complete, "claimMetadataMapping", "Must name each claim");
        check.require(mapping.len() <= MAX_CLAIMS, "claimMetadataMapping", "Must be at most 64");
        check.finish(config)
    }

    async fn verify(
        config: &Config,
        proof: &Proof,
        login: Login<'_>,
    ) -> Result<Principal, AuthError> {
        let token = Unverified::read(proof.jwt.expose_secret())?;
        let keys = keys(config, &token, login).await?;
        let claims = token.verified_by(&keys)?;
        claims.require_current(login.now, LONGEST_LIFETIME)?;
        if claims.text("iss") != Some(&config.bound_issuer) {
            return Err(AuthError::denied("Access denied: OIDC issuer not allowed."));
        }
        let bound = bound(config);
        bound.require_subject(&claims, "Access denied: OIDC subject not allowed.")?;
        bound.require_audience(&claims, "Access denied: OIDC audience not allowed.")?;
        bound.require_claims(&claims, |_| "Access denied: OIDC claim not allowed.".into())?;
        let mapped = mapped(config, &claims)?;
        let subject = claims.text("sub").unwrap_or_default().to_owned();
        Ok(Principal::of("oidc", json!({ "claims": mapped }))
            .fact("issuer", &config.bound_issuer)
            .fact("subject", subject))
    }
}

fn bound(config: &Config) -> Bound<'_> {
    Bound {
        audiences: &config.bound_audiences,
        subject: &config.bound_subject,
        claims: &config.bound_claims,
        stars: Stars::Stop,
    }
}

/// The values that permission rules may refer to, as texts.
fn mapped(config: &Config, claims: &Claims) -> Result<Map<String, Value>, AuthError> {
    let mut mapped = Map::new();
    for (name, path) in &config.claim_metadata_mapping {
        let text = match present(claims, path)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        mapped.insert(name.clone(), text.into());
    }
    Ok(mapped)
}

/// What a provider says about itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Discovery {
    /// Reads a discovery document.
    pub(crate) fn read(body: &[u8]) -> Result<Self, KeyError> {
        let read: Self = serde_json::from_slice(body).map_err(|_| KeyError::Malformed)?;
        let short = read.issuer.len() <= MAX_URL && read.jwks_uri.len() <= MAX_URL;
        if short { Ok(read) } else { Err(KeyError::Malformed) }
    }
}

impl Weigh for Discovery {
    fn weight(&self) -> usize {
        self.issuer.len() + self.jwks_uri.len()
    }
}

/// The provider's keys. Its document must name the issuer that is bound, and keys on its own host
/// or one that is known to be its own (attack J5).
async fn keys(
    config: &Config,
    token: &Unverified<'_>,
    login: Login<'_>,
) -> Result<std::sync::Arc<KeySet>, AuthError> {
    let verifier = login.verifier;
    let trust = Trust::pem(&config.ca_cert).map_err(|_| AuthError::unreachable("unusable CA"))?;
    let url = format!("{}{DISCOVERY}", config.oidc_discovery_url);
    let issuer = &config.bound_issuer;
    let wanted = |found: &Discovery| found.issuer == *issuer;
    let found = verifier.discovery.get(&verifier.outbound, &url, &trust, login.now, wanted).await?;
    if found.issuer != *issuer {
        return Err(AuthError::unreachable("the discovery document names another issuer"));
    }
    let target = Target::parse(&found.jwks_uri, verifier.policy())
        .map_err(|_| AuthError::unreachable("`jwks_uri` is not an address that may be called"))?;
    let of = Url::parse(&config.oidc_discovery_url).ok();
    if !of.is_some_and(|of| is_of(target.url(), &of)) {
        return Err(AuthError::unreachable("`jwks_uri` is on somebody else's host"));
    }
    let wanted = |keys: &KeySet| match token.kid() {
        Some(kid) => keys.get(kid).is_some(),
        None => (1..=MAX_TRIED).contains(&keys.len()),
    };
    let url = target.url().as_str();
    verifier.key_sets.get(&verifier.outbound, url, &trust, login.now, wanted).await
}

/// Whether an address belongs to a provider: its host, one below it, one above it that is not
/// everybody's, or one that is known.
fn is_of(keys: &Url, provider: &Url) -> bool {
    let (Some(keys_host), Some(host)) = (keys.host_str(), provider.host_str()) else {
        return false;
    };
    let below = |child: &str, parent: &str| {
        parent.contains('.') && child.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
    };
    let above = keys_host.matches('.').count() >= 2 && below(host, keys_host);
    let same_port = keys.port_or_known_default() == provider.port_or_known_default();
    keys_host == host && (same_port || keys.scheme() == "https")
        || below(keys_host, host)
        || above
        || KEYS_ELSEWHERE.contains(&(host, keys_host))
}
