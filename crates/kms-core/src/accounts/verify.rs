//! Showing that the address of an account is its owner's, where that was not shown before.

use kms_api::{accounts::VerifyAddress, auth::user::Done};
use kms_store::users;

use super::{
    mails, no_longer,
    proofs::{Purpose, Subject},
    sign_up::wrong_code,
};
use crate::{Core, Result, SignedIn, audit::Event};

impl Core {
    /// Mails a code to the person's own address.
    pub async fn start_verification(&self, person: &SignedIn, site: &str) -> Result<Done> {
        self.require_mail()?;
        let address = &*person.user.email;
        let proof = self.new_proof(Subject::of(Purpose::Verification, address), true);
        let mut tx = self.store.begin().await?;
        let sent = self.put_proof(&mut tx, &proof).await?;
        tx.commit().await?;
        if sent {
            self.mail_openly(mails::verification(address, site, &proof)).await?;
        }
        Ok(Done { message: format!("Sent an email verification code to {address}") })
    }

    /// Takes the code.
    pub async fn verify_address(&self, person: &SignedIn, body: &VerifyAddress) -> Result<Done> {
        let subject = Subject::of(Purpose::Verification, &person.user.email);
        let proof = self.check_proof(subject, &body.code).await?.ok_or_else(wrong_code)?;
        let mut tx = self.store.begin().await?;
        let user = users::find(&mut tx, person.user.id).await?;
        let mut user = user.ok_or_else(no_longer)?;
        let epoch = user.epoch;
        user.is_email_verified = true;
        let taken = self.take_proof(&mut tx, &proof).await?;
        if !taken || !self.update_user(&mut tx, &mut user, epoch).await? {
            return Err(wrong_code());
        }
        tx.audit(self.signed_in_record(person, &Event::new("verify-email")));
        tx.commit().await?;
        Ok(Done { message: "Successfully verified email".into() })
    }
}
