//! People's accounts: how they begin, who invites whom, and how a lost password is replaced.
//!
//! Whoever says that an address is theirs shows it with something that was mailed there
//! ([`proofs`]). Nothing here tells a known address from an unknown one (attack H1): both get the
//! same answer after the same work, and the mail says the rest.

mod complete;
mod invite;
mod look;
mod mails;
mod manage;
mod password_rules;
mod proofs;
mod recovery;
mod settings;
mod sign_up;
#[cfg(test)]
mod tests;
mod verify;

use kms_api::{OrganizationId, UserId};
use kms_crypto::{SignUpClaims, SignUpUse, TokenPurpose};
use kms_store::users::UserRow;

pub use look::InvitationSeen;
pub(crate) use password_rules::check_new_password;

use crate::{
    Core, Error, Result,
    mail::{Mail, MailError},
    sessions::refuse_service_token,
};

/// Seconds that somebody has to complete an account or to set a password (wire contract, user
/// tokens).
const PROVEN_SECONDS: i64 = 15 * 60;

/// Somebody who showed that an account is theirs, and what may be done about it.
#[derive(Clone, Debug)]
pub struct Proven {
    user: UserId,
    epoch: i64,
    what: SignUpUse,
    organization: Option<OrganizationId>,
}

impl Core {
    /// Who a token for completing an account or setting a password stands for.
    pub fn authenticate_proven(&self, bearer: &str) -> Result<Proven> {
        refuse_service_token(bearer)?;
        let claims = self.keys.tokens.verify::<SignUpClaims>(bearer, self.now().seconds())?;
        Ok(Proven {
            user: claims.user_id.into(),
            epoch: claims.epoch,
            what: claims.used_for,
            organization: claims.organization_id.map(Into::into),
        })
    }

    /// A token for one of the two; it is good until the account moves on to another epoch.
    fn proven_token(
        &self,
        user: &UserRow,
        what: SignUpUse,
        organization: Option<OrganizationId>,
    ) -> Result<String> {
        let now = self.now().seconds();
        let claims = SignUpClaims {
            auth_token_type: TokenPurpose::SignUp,
            user_id: user.id.uuid(),
            epoch: user.epoch,
            used_for: what,
            organization_id: organization.map(OrganizationId::uuid),
            iat: now,
            exp: now + PROVEN_SECONDS,
        };
        Ok(self.keys.tokens.sign(&claims)?)
    }

    /// Refuses before anything is done where nothing can be mailed; for all addresses alike.
    fn require_mail(&self) -> Result<()> {
        if self.options.mailer.is_configured() {
            return Ok(());
        }
        Err(Error::bad_request(
            "This server sends no mail. Its operator can configure a mail server, or have mail \
             written to the server's log with `--print-mail`",
        ))
    }

    /// Mails something of which the answer must not tell whether it was sent.
    async fn mail_quietly(&self, mail: Mail) {
        if let Err(error) = self.options.mailer.send(mail).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a mail was not sent");
        }
    }

    /// Mails something for somebody who is signed in and may know.
    async fn mail_openly(&self, mail: Mail) -> Result<()> {
        match self.options.mailer.send(mail).await {
            Ok(()) => Ok(()),
            Err(MailError::NotConfigured) => self.require_mail(),
            Err(error @ MailError::Failed(_)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a mail was not sent");
                Err(Error::Unavailable("The mail could not be sent; try again"))
            }
        }
    }
}

/// A token of another kind, of another time or for something else.
fn no_longer() -> Error {
    Error::unauthorized("This is not valid any more; begin again")
}
