//! JWT: a token signed by a key that is configured, or that a key server publishes.

use kms_api::{
    auth::jwt::{Config, ConfigurationType, Jwt, Proof, Settings},
    error::Issue,
};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{LONGEST_LIFETIME, Verify};
use crate::{
    AuthError, Login, Principal,
    bound::{Bound, stored},
    check::{Check, kept},
    glob::Stars,
    jwt::{Claims, MAX_TRIED, Unverified},
    keys::{KeySet, read_pem},
    outbound::{OutboundPolicy, Trust},
};

/// The most keys that are configured.
const MAX_STATIC: usize = 10;

impl Verify for Jwt {
    fn configure(
        current: Option<&Config>,
        settings: &Settings,
        policy: &OutboundPolicy,
    ) -> Result<Config, Vec<Issue>> {
        let mut check = Check::default();
        let Some(kind) = settings.configuration_type else {
            check.refuse("configurationType", "Required");
            return Err(check.finish(()).err().unwrap_or_default());
        };
        let (new, old) = (settings, current);
        let mut config = Config {
            configuration_type: kind,
            jwks_url: check.setting("jwksUrl", new.jwks_url.as_ref(), old.map(|c| &c.jwks_url)),
            jwks_ca_cert: kept(new.jwks_ca_cert.as_ref(), old.map(|c| &c.jwks_ca_cert)),
            public_keys: kept(new.public_keys.as_ref(), old.map(|c| &c.public_keys)),
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
        };
        // What belongs to the other way of configuring keys does not stay behind.
        match kind {
            ConfigurationType::Jwks => config.public_keys.clear(),
            ConfigurationType::Static => {
                config.jwks_url.clear();
                config.jwks_ca_cert.clear();
            }
        }
        check_keys(&mut check, &config, policy);
        let bound = bound(&config);
        bound.check(&mut check);
        bound.check_shared(&mut check, &config.bound_issuer);
        bound.check_shared(&mut check, &config.jwks_url);
        check.finish(config)
    }

    async fn verify(
        config: &Config,
        proof: &Proof,
        login: Login<'_>,
    ) -> Result<Principal, AuthError> {
        let token = Unverified::read(proof.jwt.expose_secret())?;
        let claims = verified(config, token, login).await?;
        claims.require_current(login.now, LONGEST_LIFETIME)?;
        if !config.bound_issuer.is_empty() && claims.text("iss") != Some(&config.bound_issuer) {
            return Err(AuthError::Forbidden("Access denied: issuer mismatch".into()));
        }
        let bound = bound(config);
        bound.require_subject(&claims, "Access denied: subject not allowed")?;
        bound.require_audience(&claims, "Access denied: token audience not allowed")?;
        bound.require_claims(&claims, |path| {
            format!("Access denied: claim mismatch for field {path}")
        })?;
        let subject = claims.text("sub").unwrap_or_default().to_owned();
        let issuer = claims.text("iss").unwrap_or_default().to_owned();
        Ok(Principal::of("jwt", json!({})).fact("issuer", issuer).fact("subject", subject))
    }
}

fn bound(config: &Config) -> Bound<'_> {
    Bound {
        audiences: &config.bound_audiences,
        subject: &config.bound_subject,
        claims: &config.bound_claims,
        stars: Stars::Cross,
    }
}

fn check_keys(check: &mut Check, config: &Config, policy: &OutboundPolicy) {
    if config.configuration_type == ConfigurationType::Jwks {
        check.url("jwksUrl", &config.jwks_url, policy);
        check.certificates("jwksCaCert", &config.jwks_ca_cert);
        return;
    }
    let count = config.public_keys.len();
    check.require((1..=MAX_STATIC).contains(&count), "publicKeys", "Must be one to 10 keys");
    for key in &config.public_keys {
        if let Err(rule) = read_pem(key) {
            check.refuse("publicKeys", format!("A key {rule}"));
        }
    }
}

async fn verified(
    config: &Config,
    token: Unverified<'_>,
    login: Login<'_>,
) -> Result<Claims, AuthError> {
    let verifier = login.verifier;
    if config.configuration_type == ConfigurationType::Static {
        let keys = config.public_keys.iter().filter_map(|key| verifier.configured_key(key));
        let keys: Vec<_> = keys.collect();
        return token.verified_by_any(keys.iter().map(|key| &**key));
    }
    let trust =
        Trust::pem(&config.jwks_ca_cert).map_err(|_| AuthError::unreachable("unusable CA"))?;
    let wanted = |keys: &KeySet| match token.kid() {
        Some(kid) => keys.get(kid).is_some(),
        None => (1..=MAX_TRIED).contains(&keys.len()),
    };
    let keys = verifier
        .key_sets
        .get(&verifier.outbound, &config.jwks_url, &trust, login.now, wanted)
        .await?;
    token.verified_by(&keys)
}
