//! C1 to C4, against a stand-in for STS that recomputes each signature.

mod patterns;
mod principals;
mod requests;

use kms_api::error::Issue;
use kms_standins::{ACCOUNT, Client, HOST, Sts, identity};
use serde_json::{Value, json};

use super::*;
use crate::{
    Endpoints, Verifier,
    outbound::{Outbound, OutboundPolicy, SystemResolver},
    testing::{NOW, changed, loopback_policy, quick},
};

const ORIGIN: &str = "https://kms.example.com";

fn attach(settings: &Value) -> Result<Config, Vec<Issue>> {
    let settings = serde_json::from_value(settings.clone()).unwrap();
    Aws::configure(None, &settings, &OutboundPolicy::default())
}

fn fields(result: Result<Config, Vec<Issue>>) -> Vec<String> {
    let issues = result.expect_err("the configuration is accepted");
    issues.iter().map(|issue| issue.path[0].as_str().unwrap().to_owned()).collect()
}

fn config(changes: &Value) -> Config {
    attach(&changed(&json!({ "allowedAccountIds": ACCOUNT }), changes)).unwrap()
}

fn verifier(sts: &Sts) -> Verifier {
    let outbound = Outbound::with(loopback_policy(), SystemResolver, quick());
    Verifier::new(outbound, Endpoints { aws_sts: Some(sts.url()), ..Endpoints::default() })
}

async fn login_at(
    sts: &Sts,
    config: &Config,
    proof: &Proof,
    now: i64,
) -> Result<Principal, AuthError> {
    let (verifier, origins) = (verifier(sts), [ORIGIN.to_owned()]);
    let login = Login { verifier: &verifier, identity: identity(), now, origins: &origins };
    Aws::verify(config, proof, login).await
}

async fn login(sts: &Sts, config: &Config, proof: &Proof) -> Result<Principal, AuthError> {
    login_at(sts, config, proof, NOW).await
}

fn assert_unverified(result: Result<Principal, AuthError>, what: &dyn std::fmt::Debug) {
    let error = result.expect_err(&format!("{what:?} is let in"));
    assert_eq!((error.status(), error.to_string().as_str()), (401, crate::UNVERIFIED), "{what:?}");
}
