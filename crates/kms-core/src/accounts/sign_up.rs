//! Signing up: an address is shown to be somebody's before there is an account.

use kms_api::{
    accounts::{SignUpStart, SignUpVerified, SignUpVerify},
    auth::user::Done,
};
use kms_crypto::SignUpUse;
use kms_store::{StoreError, Tx, users};

use super::{
    mails, no_longer,
    proofs::{Purpose, Subject},
};
use crate::{
    Core, Error, Result, passwords::canonical_email, people::user_to_wire, users::NewUser,
};

impl Core {
    /// Mails a code to somebody who wants an account; to somebody who has one, that they do.
    /// `site` is where this server is reached.
    pub async fn start_sign_up(&self, body: &SignUpStart, site: &str) -> Result<Done> {
        let address = canonical_email("email", &body.email)?;
        self.require_sign_up(&address).await?;
        self.require_mail()?;
        let account = users::by_username(&self.store, &address).await?;
        let proof = self.new_proof(Subject::of(Purpose::SignUp, &address), true);
        let mut tx = self.store.begin().await?;
        let sent = self.put_proof(&mut tx, &proof).await?;
        tx.commit().await?;
        if sent {
            let has_account = account.is_some_and(|account| account.is_accepted);
            // Nobody learns the code that is kept for an address with an account.
            let mail = if has_account {
                mails::has_account(&address, site)
            } else {
                mails::sign_up(&address, site, &proof)
            };
            self.mail_quietly(mail).await;
        }
        Ok(Done { message: format!("Sent an email verification code to {address}") })
    }

    /// Takes the code and answers a token to complete the account with.
    pub async fn verify_sign_up(&self, body: &SignUpVerify) -> Result<SignUpVerified> {
        let address = canonical_email("email", &body.email)?;
        self.require_sign_up(&address).await?;
        let subject = Subject::of(Purpose::SignUp, &address);
        let proof = self.check_proof(subject, &body.code).await?.ok_or_else(wrong_code)?;
        let mut tx = self.store.begin().await?;
        if !self.take_proof(&mut tx, &proof).await? {
            return Err(wrong_code());
        }
        let user = match users::by_username(&mut tx, &address).await? {
            Some(user) if user.is_accepted => return Err(wrong_code()),
            Some(mut user) => {
                let epoch = user.epoch;
                user.is_email_verified = true;
                if !self.update_user(&mut tx, &mut user, epoch).await? {
                    return Err(no_longer());
                }
                user
            }
            None => self.insert_incomplete(&mut tx, address, true).await?,
        };
        tx.commit().await?;
        let token = self.proven_token(&user, SignUpUse::SignUp, None)?;
        let message = "Successfully verified email".into();
        Ok(SignUpVerified { message, token, user: user_to_wire(user) })
    }

    /// Adds an account that its owner has yet to complete.
    pub(super) async fn insert_incomplete(
        &self,
        tx: &mut Tx,
        address: String,
        is_email_verified: bool,
    ) -> Result<users::UserRow> {
        let new = NewUser {
            email: address,
            first_name: None,
            last_name: None,
            password_hash: None,
            super_admin: false,
            is_accepted: false,
            is_email_verified,
        };
        match self.insert_user(tx, new).await {
            Err(Error::Internal(source))
                if matches!(source.downcast_ref(), Some(StoreError::Duplicate)) =>
            {
                Err(Error::Unavailable("Somebody else just did the same; try again"))
            }
            other => other,
        }
    }
}

/// One text for a wrong code, one of another address, and one that is over.
pub(super) fn wrong_code() -> Error {
    Error::unauthorized("Invalid or expired code")
}
