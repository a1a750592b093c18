//! A lost password is replaced by whoever reads the account's mail; a known one by its owner.

use kms_api::{
    accounts::{ChangePassword, Recover, RecoveryVerified, ResetPassword, VerifyRecovery},
    auth::user::Done,
};
use kms_crypto::SignUpUse;
use kms_store::{
    second_factors,
    users::{self, UserRow},
};
use secrecy::SecretString;

use super::{
    Proven, check_new_password, mails, no_longer,
    proofs::{Purpose, Subject},
    sign_up::wrong_code,
};
use crate::{
    Core, Error, Origin, Result, SignedIn, audit::Event, passwords::canonical_email,
    people::user_to_wire,
};

/// What clients of the contract are told about an account's encryption: the server's own.
const ENCRYPTION_VERSION: i64 = 2;
/// What wrong present passwords are counted for: the account, whatever session they come from.
const CHANGE: &str = "change of password";

impl Core {
    /// Mails a link to set a new password with, if the address has an account; the answer does
    /// not tell (attack H1).
    pub async fn start_recovery(&self, body: &Recover, site: &str) -> Result<Done> {
        let address = canonical_email("email", &body.email)?;
        self.require_mail()?;
        let account = users::by_username(&self.store, &address).await?;
        let proof = self.new_proof(Subject::of(Purpose::Recovery, &address), true);
        let mut tx = self.store.begin().await?;
        let sent = self.put_proof(&mut tx, &proof).await?;
        tx.commit().await?;
        let mail = mails::recovery(&address, site, &proof);
        if sent && account.is_some_and(|account| account.is_accepted) {
            self.mail_quietly(mail).await;
        }
        let message = "If an account exists with this email, a recovery link has been sent".into();
        Ok(Done { message })
    }

    /// Takes what was mailed and answers a token to set the password with.
    pub async fn verify_recovery(&self, body: &VerifyRecovery) -> Result<RecoveryVerified> {
        let address = canonical_email("email", &body.email)?;
        let subject = Subject::of(Purpose::Recovery, &address);
        let proof = self.check_proof(subject, &body.code).await?.ok_or_else(wrong_code)?;
        let mut tx = self.store.begin().await?;
        if !self.take_proof(&mut tx, &proof).await? {
            return Err(wrong_code());
        }
        let user = users::by_username(&mut tx, &address).await?;
        let user = user.filter(|user| user.is_accepted).ok_or_else(wrong_code)?;
        tx.commit().await?;
        let token = self.proven_token(&user, SignUpUse::Recovery, None)?;
        let user_encryption_version = ENCRYPTION_VERSION;
        Ok(RecoveryVerified { user: user_to_wire(user), token, user_encryption_version })
    }

    /// Sets the password of somebody who showed that they read the account's mail. All sessions
    /// end.
    pub async fn reset_password(
        &self,
        proven: &Proven,
        body: &ResetPassword,
        origin: &Origin,
        site: &str,
    ) -> Result<Done> {
        let user = users::find(&self.store, proven.user).await?;
        let is_it = |user: &UserRow| user.is_accepted && user.epoch == proven.epoch;
        let user = user.filter(is_it).filter(|_| proven.what == SignUpUse::Recovery);
        let mut user = user.ok_or_else(no_longer)?;
        // The link went by mail and came back.
        user.is_email_verified = true;
        self.set_password(user, &body.new_password, "reset-password", origin, site).await
    }

    /// Changes the password of somebody who knows the present one. All sessions end, the one that
    /// it is changed in too.
    pub async fn change_password(
        &self,
        person: &SignedIn,
        body: &ChangePassword,
        site: &str,
    ) -> Result<Done> {
        let user = users::find(&self.store, person.user.id).await?.ok_or_else(no_longer)?;
        self.require_factor_to_change(person, &user).await?;
        let kind = "change-password-failed";
        self.check_present_password(person, &user, &body.old_password, kind).await?;
        let origin = &person.origin;
        self.set_password(user, &body.new_password, "change-password", origin, site).await
    }

    /// Refuses whoever does not know the password of the account that they are logged in to;
    /// `kind` names the record of that.
    pub(crate) async fn check_present_password(
        &self,
        person: &SignedIn,
        user: &UserRow,
        password: &SecretString,
        kind: &'static str,
    ) -> Result<()> {
        // Whoever took a session over guesses no faster than whoever logs in, however many
        // sessions they make of it.
        let attempt = self.attempt(&user.username, CHANGE.into(), true);
        self.require_turn(&attempt).await?;
        let turn = self.passwords.turn().await?;
        // Asked again: what waited with it may have failed.
        let has_failed = self.require_turn(&attempt).await?;
        let (holds, turn) = turn.verify(password, user.password_hash.as_deref()).await?;
        if !holds {
            let mut tx = self.store.begin().await?;
            self.count_failure(&mut tx, &attempt).await?;
            tx.audit(self.signed_in_record(person, &Event::new(kind)));
            tx.commit().await?;
            // Held until the failure counts, so that guesses at once are no more than run.
            drop(turn);
            return Err(Error::bad_request("Current password is incorrect"));
        }
        drop(turn);
        if has_failed {
            let mut tx = self.store.begin().await?;
            self.forget_failures(&mut tx, &attempt).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn set_password(
        &self,
        mut user: UserRow,
        password: &SecretString,
        kind: &'static str,
        origin: &Origin,
        site: &str,
    ) -> Result<Done> {
        check_new_password("newPassword", password, &[&user.username])?;
        let epoch = user.epoch;
        // Until now the account lived by a provider's word, and whoever runs that may have set it
        // up: from here on it is its owner's.
        let was_of_provider = user.password_hash.is_none();
        if was_of_provider {
            (user.is_mfa_enabled, user.selected_mfa_method) = (false, None);
        }
        user.password_hash = Some(self.passwords.hash(password, &self.options.entropy).await?);
        user.epoch += 1;
        let mut tx = self.store.begin().await?;
        if !self.update_user(&mut tx, &mut user, epoch).await? {
            return Err(no_longer());
        }
        if was_of_provider {
            second_factors::delete_totp(&mut tx, user.id).await?;
            second_factors::delete_recovery_codes(&mut tx, user.id).await?;
        }
        self.touches_rights(&mut tx);
        tx.audit(self.person_record(None, user.id, origin, &Event::new(kind)));
        tx.commit().await?;
        self.mail_quietly(mails::password_changed(&user.email, site)).await;
        Ok(Done { message: "Successfully reset password".into() })
    }
}
