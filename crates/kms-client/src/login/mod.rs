//! Logins. Of machines: one file per method turns what the caller has into the proof that the
//! server asks for; `vendor.rs` is how some of them ask whoever vouches for the machine. Of people:
//! `user.rs`, in several steps, and `oauth/` or, at compatible servers, `handover.rs`, through the
//! browser.
//!
//! Where a vendor has variables that say where its services are, they are read here, as in its own
//! tools. Nothing of a vendor is loaded or asked before the method is used.

mod aws_iam;
mod azure;
mod gcp;
mod handover;
mod jwt;
mod kubernetes;
pub mod oauth;
mod oidc;
mod srp;
mod universal_auth;
mod user;
mod vendor;

use kms_api::{
    IdentityId,
    auth::{JwtProof, LoginResponse, Method},
};
use secrecy::SecretString;

use crate::{Client, Error};

pub use aws_iam::AwsIam;
pub use azure::{Azure, ManagedIdentity};
pub use gcp::{GcpIam, GcpIdToken};
pub use handover::{HandedOver, VerifiedHandover};
pub use jwt::Jwt;
pub use kubernetes::Kubernetes;
pub use oidc::{IdToken, Oidc};
pub use universal_auth::UniversalAuth;
pub use user::PasswordAccepted;

/// What every login may say besides its proof.
#[derive(Clone, Debug, Default)]
pub struct LoginContext {
    /// The sub-organization that the token shall be scoped to; that in which the identity was
    /// made when left out.
    pub organization_slug: Option<String>,
}

impl LoginContext {
    fn jwt_proof(&self, identity_id: IdentityId, jwt: SecretString) -> JwtProof {
        JwtProof { identity_id, jwt, organization_slug: self.organization_slug.clone() }
    }
}

/// What can prove who is asking, by one login method.
pub trait Prove {
    /// The method, which names the route and the form of the proof.
    type Method: Method;

    /// Makes the proof, for the server of this client alone where the method can say so.
    fn prove(
        &self,
        context: &LoginContext,
        client: &Client,
    ) -> impl Future<Output = Result<<Self::Method as Method>::Proof, Error>> + Send;
}

impl Client {
    /// Logs a machine identity in. Sends no token, and keeps none: what comes back is the
    /// caller's.
    pub async fn login<P: Prove>(
        &self,
        prover: &P,
        context: &LoginContext,
    ) -> Result<LoginResponse, Error> {
        let proof = prover.prove(context, self).await?;
        self.token_for(P::Method::ROUTE, &proof).await
    }
}

/// A variable of a vendor; a blank one counts as not set.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}
