//! Logins. Of machines: one file per method turns what the caller has into the proof that the
//! server asks for. Of people: `user.rs`, in several steps, and `oauth/` or, at compatible
//! servers, `handover.rs`, through the browser.

mod handover;
pub mod oauth;
mod srp;
mod universal_auth;
mod user;

use kms_api::auth::{LoginResponse, Method};

use crate::{Client, Error};

pub use handover::{HandedOver, VerifiedHandover};
pub use universal_auth::UniversalAuth;
pub use user::PasswordAccepted;

/// What every login may say besides its proof.
#[derive(Clone, Debug, Default)]
pub struct LoginContext {
    /// The sub-organization that the token shall be scoped to; that in which the identity was
    /// made when left out.
    pub organization_slug: Option<String>,
}

/// What can prove who is asking, by one login method.
pub trait Prove {
    /// The method, which names the route and the form of the proof.
    type Method: Method;

    /// Makes the proof.
    fn prove(
        &self,
        context: &LoginContext,
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
        let proof = prover.prove(context).await?;
        self.post_anonymously(P::Method::ROUTE, &proof).await
    }
}
