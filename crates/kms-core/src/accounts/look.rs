//! What a link that was mailed is good for, for a page that shows it. Looking changes nothing: mail
//! scanners open links, too.

use kms_api::accounts::{InvitationVerified, VerifyInvitation};
use kms_store::{organizations, users};
use secrecy::SecretString;

use super::proofs::{Purpose, Subject};
use crate::{Core, Error, Result, SignedIn, passwords::canonical_email};

/// An invitation that holds.
#[derive(Clone, Debug)]
pub struct InvitationSeen {
    /// What the organization is called.
    pub organization: String,
    /// Whether whoever is invited has an account.
    pub has_account: bool,
    /// Whether it is who looks, with a browser that is signed in.
    pub is_own: bool,
}

impl Core {
    /// Whether a link to sign up with holds.
    pub async fn sees_sign_up(&self, address: &str, token: &SecretString) -> Result<bool> {
        self.sees(Purpose::SignUp, address, token).await
    }

    /// Whether a link to set a new password with holds.
    pub async fn sees_recovery(&self, address: &str, token: &SecretString) -> Result<bool> {
        self.sees(Purpose::Recovery, address, token).await
    }

    /// An invitation; none where its link does not hold.
    pub async fn see_invitation(
        &self,
        body: &VerifyInvitation,
        signed_in: Option<&SignedIn>,
    ) -> Result<Option<InvitationSeen>> {
        let Some(address) = canonical_email("email", &body.email).ok() else { return Ok(None) };
        let organization = body.organization_id;
        let subject = Subject { purpose: Purpose::Invitation, address: &address, organization };
        if !self.holds_link(subject, &body.code).await? {
            return Ok(None);
        }
        let row = organizations::find(&self.store, organization).await?;
        let user = users::by_username(&self.store, &address).await?;
        let (Some(row), Some(user)) = (row, user) else { return Ok(None) };
        Ok(Some(InvitationSeen {
            organization: row.name,
            has_account: user.is_accepted,
            is_own: signed_in.is_some_and(|signed_in| signed_in.user.id == user.id),
        }))
    }

    /// Accepts an invitation of who is signed in.
    pub async fn accept_invitation(
        &self,
        signed_in: &SignedIn,
        body: &VerifyInvitation,
    ) -> Result<InvitationVerified> {
        let address = canonical_email("email", &body.email)?;
        if *signed_in.user.username != *address {
            return Err(Error::forbidden("This invitation is for another address"));
        }
        self.verify_invitation(body, &signed_in.origin).await
    }

    async fn sees(&self, purpose: Purpose, address: &str, token: &SecretString) -> Result<bool> {
        let Some(address) = canonical_email("email", address).ok() else { return Ok(false) };
        self.holds_link(Subject::of(purpose, &address), token).await
    }
}
