//! Codes that are mailed, and codes that are kept for the day when the app is lost.

use kms_api::UserId;
use kms_store::{
    Tx,
    second_factors::{self, MailedCodeRow},
    users::UserRow,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    Core, Error, Origin, Result,
    audit::Event,
    mail::{Mail, MailError},
};

const MAILED_CODE: &str = "mailed-code";
const RECOVERY_CODE: &str = "recovery-code";
/// Seconds that a mailed code is good for.
const GOOD_FOR: i64 = 300;
/// Wrong tries of one mailed code.
const TRIES: i64 = 3;
/// Seconds between two mails to one person.
const BETWEEN_MAILS: i64 = 30;
/// How many recovery codes a person has.
const RECOVERY_CODES: usize = 10;
/// Characters of a recovery code (wire contract, MFA): five bits each.
const RECOVERY_LENGTH: usize = 8;
/// Without what looks like something else.
const RECOVERY_ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";

/// A recovery code that was drawn.
pub(super) struct RecoveryCode {
    text: String,
    hash: [u8; 32],
}

impl Core {
    /// Mails a code to a person, unless one was mailed a moment ago; `insist` refuses then.
    pub(in crate::people) async fn mail_code(
        &self,
        user: &UserRow,
        origin: &Origin,
        insist: bool,
    ) -> Result<()> {
        let now = self.now().micros();
        let last = second_factors::mailed_code(&self.store, user.id).await?;
        let wait = last.map_or(0, |last| last.sent_at + BETWEEN_MAILS * 1_000_000 - now);
        if wait > 0 {
            let seconds = u64::try_from(wait).unwrap_or_default().div_ceil(1_000_000);
            let refused = Err(Error::RateLimited { retry_after: seconds });
            return if insist { refused } else { Ok(()) };
        }
        if !self.options.mailer.is_configured() {
            return Err(no_mail());
        }
        let drawn = u64::from_be_bytes(kms_crypto::random_bytes(self.entropy()));
        let code = format!("{:06}", drawn % 1_000_000);
        let row = MailedCodeRow {
            user_id: user.id,
            code_hash: self.mailed_hash(user.id, &code).to_vec(),
            tries: TRIES,
            sent_at: now,
            expires_at: now + GOOD_FOR * 1_000_000,
        };
        let mut tx = self.store.begin().await?;
        second_factors::put_mailed_code(&mut tx, &row).await?;
        tx.audit(self.person_record(None, user.id, origin, &Event::new("mfa-code-sent")));
        tx.commit().await?;
        let mail = Mail {
            to: user.email.clone(),
            subject: "Your Hanzo KMS code".into(),
            text: format!(
                "Your code is {code}. It is good for five minutes.\n\nIf you are not logging in \
                right now, somebody has your password: change it.\n"
            ),
        };
        self.options.mailer.send(mail).await.map_err(|error| match error {
            MailError::NotConfigured => no_mail(),
            other @ MailError::Failed(_) => Error::Internal(Box::new(other)),
        })
    }

    /// Takes the code that was mailed last.
    pub(super) async fn take_mailed_code(
        &self,
        tx: &mut Tx,
        user: UserId,
        code: &SecretString,
    ) -> Result<bool> {
        let hash = self.mailed_hash(user, code.expose_secret());
        let now = self.now().micros();
        Ok(second_factors::try_mailed_code(tx, user, now).await?
            && second_factors::take_mailed_code(tx, user, &hash).await?)
    }

    fn mailed_hash(&self, user: UserId, code: &str) -> [u8; 32] {
        self.keys.lookup.hash(MAILED_CODE, format!("{user} {code}")).0
    }

    /// Draws recovery codes, to be shown once. Takes as long as so many passwords: not to be done
    /// while a write is open.
    pub(super) async fn draw_recovery_codes(&self, user: UserId) -> Result<Vec<RecoveryCode>> {
        let mut codes = Vec::new();
        for _ in 0..RECOVERY_CODES {
            let drawn: [u8; RECOVERY_LENGTH] = kms_crypto::random_bytes(self.entropy());
            let text: String = drawn
                .into_iter()
                .map(|byte| char::from(RECOVERY_ALPHABET[usize::from(byte % 32)]))
                .collect();
            let hash = self.recovery_hash(user, &text.clone().into()).await?;
            codes.push(RecoveryCode { text, hash });
        }
        Ok(codes)
    }

    /// Replaces a person's recovery codes and answers what is shown of them.
    pub(super) async fn put_recovery_codes(
        &self,
        tx: &mut Tx,
        user: UserId,
        codes: Vec<RecoveryCode>,
    ) -> Result<Vec<String>> {
        second_factors::delete_recovery_codes(tx, user).await?;
        for code in &codes {
            second_factors::add_recovery_code(tx, user, &code.hash).await?;
        }
        Ok(codes.into_iter().map(|code| code.text).collect())
    }

    /// A recovery code as it is stored: costly to guess, and under a key besides.
    pub(super) async fn recovery_hash(
        &self,
        user: UserId,
        code: &SecretString,
    ) -> Result<[u8; 32]> {
        let code = SecretString::from(code.expose_secret().trim().to_lowercase());
        let stretched = self.passwords.turn().await?.stretch(code, user.uuid()).await?;
        Ok(self.keys.lookup.hash(RECOVERY_CODE, stretched).0)
    }
}

fn no_mail() -> Error {
    Error::bad_request(
        "A code by mail is asked for, but this server has no mail configured; set up an \
        authenticator app, or ask the server's operator to configure mail",
    )
}
