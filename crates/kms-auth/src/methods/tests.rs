//! The methods against peers that are as strict as the real ones.

mod azure;
mod gcp;
mod jwt;
mod kubernetes;
mod oidc;

use kms_api::{IdentityId, auth::JwtProof, error::Issue};
use serde_json::Value;

use super::Verify;
use crate::{
    AuthError, Endpoints, Login, Principal, Verifier,
    outbound::{Outbound, OutboundPolicy, SystemResolver},
    testing::{NOW, loopback_policy, quick},
};

/// The identity that tests log in as.
fn identity() -> IdentityId {
    "01a2187e-e249-7484-b1fa-863a84fc204f".parse().unwrap()
}

/// The fields that a configuration is refused for.
fn fields<T: std::fmt::Debug>(result: Result<T, Vec<Issue>>) -> Vec<String> {
    let issues = result.expect_err("the configuration is accepted");
    issues.iter().map(|issue| issue.path[0].as_str().unwrap().to_owned()).collect()
}

/// Attaches a method with settings as they are sent.
fn attach<M: Verify>(settings: &Value) -> Result<M::Config, Vec<Issue>> {
    let settings = serde_json::from_value(settings.clone()).unwrap();
    M::configure(None, &settings, &loopback_policy())
}

/// Changes a method with settings as they are sent.
fn change<M: Verify>(config: &M::Config, settings: &Value) -> Result<M::Config, Vec<Issue>> {
    let settings = serde_json::from_value(settings.clone()).unwrap();
    M::configure(Some(config), &settings, &loopback_policy())
}

/// A verifier that may call loopback.
fn verifier(endpoints: Endpoints) -> Verifier {
    Verifier::new(Outbound::with(loopback_policy(), SystemResolver, quick()), endpoints)
}

/// Logs in with a token.
async fn login<M: Verify<Proof = JwtProof>>(
    verifier: &Verifier,
    config: &M::Config,
    jwt: &str,
) -> Result<Principal, AuthError> {
    let proof = JwtProof { identity_id: identity(), jwt: jwt.into(), organization_slug: None };
    let login = Login { verifier, identity: identity(), now: NOW, origins: &[] };
    M::verify(config, &proof, login).await
}

/// What a refused login is answered with.
fn refused(result: Result<Principal, AuthError>) -> (u16, String) {
    let error = result.expect_err("the login is let in");
    (error.status(), error.to_string())
}

/// The public internet alone.
fn strict() -> OutboundPolicy {
    OutboundPolicy::default()
}

/// What a proof that is not believed is answered with.
fn unverified() -> (u16, String) {
    (401, crate::UNVERIFIED.into())
}
