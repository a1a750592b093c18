//! Machines that somebody outside vouches for.

use std::time::Duration;

use kms_api::{
    IdentityId,
    auth::{
        Configured, LoginResponse, aws_iam::Aws, azure::Azure, gcp::GcpIdToken, jwt::Jwt,
        kubernetes::Kubernetes, oidc::Oidc,
    },
    identities::CreateIdentity,
};
use kms_auth::{
    Endpoints,
    outbound::{Limits, Outbound, OutboundPolicy, SystemResolver},
};
use kms_standins::Vouchers;
use serde::Serialize;
use serde_json::Value;

use super::{
    World,
    machines::{HOME, from},
};
use crate::{Caller, ExternalMethod, Options, Origin, Result};

/// Where this server is.
pub(crate) const ORIGIN: &str = "https://kms.example.com";

/// An instance whose machines are vouched for on this machine.
pub(crate) struct Vouched {
    pub(crate) world: World,
    pub(crate) vouchers: Vouchers,
}

/// Does something with the method of a name: what is generic over methods, for tables of names.
macro_rules! with_method {
    ($name:expr, $method:ident => $what:expr) => {
        match $name {
            "kubernetes-auth" => {
                type $method = kms_api::auth::kubernetes::Kubernetes;
                $what
            }
            "azure-auth" => {
                type $method = kms_api::auth::azure::Azure;
                $what
            }
            "gcp-auth" => {
                type $method = kms_api::auth::gcp::GcpIdToken;
                $what
            }
            "aws-auth" => {
                type $method = kms_api::auth::aws_iam::Aws;
                $what
            }
            "oidc-auth" => {
                type $method = kms_api::auth::oidc::Oidc;
                $what
            }
            "jwt-auth" => {
                type $method = kms_api::auth::jwt::Jwt;
                $what
            }
            other => panic!("no method is called {other}"),
        }
    };
}

#[test]
fn the_stand_ins_know_every_method() {
    let slugs = [Kubernetes::SLUG, Azure::SLUG, GcpIdToken::SLUG, Aws::SLUG, Oidc::SLUG, Jwt::SLUG];
    assert_eq!(slugs, kms_standins::METHODS);
}

impl Vouched {
    pub(crate) async fn new() -> Self {
        let vouchers = Vouchers::start().await;
        let allow = vec!["127.0.0.0/8".parse().unwrap()];
        let policy = OutboundPolicy { allow, own_listeners: Vec::new() };
        let limits = Limits { total: Duration::from_secs(2), ..Limits::default() };
        let outbound = Outbound::with(policy, SystemResolver, limits);
        let endpoints = Endpoints {
            azure_authority: vouchers.azure_authority(),
            google_keys: vouchers.google_keys(),
            aws_sts: Some(vouchers.sts.url()),
            ..Endpoints::default()
        };
        let world = World::with(Options { outbound, endpoints, ..Options::default() }).await;
        Self { world, vouchers }
    }

    /// An identity of our organization without a method.
    pub(crate) async fn identity(&self) -> IdentityId {
        let body = CreateIdentity {
            name: "machine".into(),
            role: Some("member".into()),
            ..CreateIdentity::default()
        };
        let made = self.world.core.create_identity(&self.world.ours, &body).await;
        made.unwrap().identity.id
    }

    /// An identity of our organization with a method as it is meant to be used.
    pub(crate) async fn machine(&self, method: &str) -> IdentityId {
        let id = self.identity().await;
        self.attach(method, id, self.vouchers.settings(method)).await.unwrap();
        id
    }

    pub(crate) async fn attach(
        &self,
        method: &str,
        id: IdentityId,
        settings: Value,
    ) -> Result<Value> {
        let (core, caller) = (&self.world.core, &self.world.ours);
        with_method!(method, M => {
            only(core.attach_external::<M>(caller, id, &settings_of::<M>(settings)).await)
        })
    }

    pub(crate) async fn change(
        &self,
        method: &str,
        id: IdentityId,
        settings: Value,
    ) -> Result<Value> {
        let (core, caller) = (&self.world.core, &self.world.ours);
        with_method!(method, M => {
            only(core.update_external::<M>(caller, id, &settings_of::<M>(settings)).await)
        })
    }

    pub(crate) async fn read(&self, method: &str, id: IdentityId) -> Result<Value> {
        self.read_as(&self.world.ours, method, id).await
    }

    pub(crate) async fn read_as(
        &self,
        caller: &Caller,
        method: &str,
        id: IdentityId,
    ) -> Result<Value> {
        with_method!(method, M => only(self.world.core.external::<M>(caller, id).await))
    }

    pub(crate) async fn detach(&self, method: &str, id: IdentityId) -> Result<Value> {
        let (core, caller) = (&self.world.core, &self.world.ours);
        with_method!(method, M => only(core.detach_external::<M>(caller, id).await))
    }

    /// What the machine proves itself with now.
    pub(crate) fn proof(&self, method: &str, id: IdentityId) -> Value {
        self.vouchers.proof(method, &id.to_string(), self.world.core.now().seconds())
    }

    /// Logs in from where everybody is.
    pub(crate) async fn login(&self, method: &str, id: IdentityId) -> Result<LoginResponse> {
        self.login_with(method, self.proof(method, id), &from(HOME)).await
    }

    pub(crate) async fn login_with(
        &self,
        method: &str,
        proof: Value,
        origin: &Origin,
    ) -> Result<LoginResponse> {
        let (core, origins) = (&self.world.core, [ORIGIN.to_owned()]);
        with_method!(method, M => {
            let proof = serde_json::from_value(proof).unwrap();
            core.external_login::<M>(&proof, origin, &origins).await
        })
    }

    /// The token of a machine that logs in.
    pub(crate) async fn token(&self, method: &str, id: IdentityId) -> String {
        self.login(method, id).await.unwrap().access_token
    }
}

fn settings_of<M: ExternalMethod>(settings: Value) -> M::Settings {
    serde_json::from_value(settings).unwrap()
}

/// The one thing that an answer carries, as JSON.
fn only(answer: Result<impl Serialize>) -> Result<Value> {
    let answer = serde_json::to_value(answer?).unwrap();
    let (_, value) = answer.as_object().unwrap().iter().next().unwrap();
    Ok(value.clone())
}
