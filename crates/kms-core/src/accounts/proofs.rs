//! What is mailed to an address so that its reader can show who they are (attack H11).
//!
//! A long text that goes into a link, and for some purposes a short code beside it. Both are kept
//! as keyed hashes that say what they are for and until when. Each is good once. A code has three
//! tries, and an address a budget of wrong codes; the long text cannot be guessed and is never
//! refused for what others tried, so nobody is kept out by strangers.

use kms_api::OrganizationId;
use kms_crypto::{LookupHash, random_bytes};
use kms_store::{
    Tx,
    mailed_proofs::{self, MailedProofRow},
};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::{Core, Result};

/// What the hashes are for.
const HASHED_AS: &str = "mailed-proof";
/// Tries of one code.
const TRIES: i64 = 3;
/// Wrong codes of one address in a day (NIST 800-63B allows a hundred in a row).
const BUDGET: i64 = 30;
/// Until when they are counted together, in microseconds.
const WINDOW: i64 = 86_400 * SECOND;
/// How long the next mail to the same address waits, in microseconds.
const COOL_DOWN: i64 = 60 * SECOND;
const SECOND: i64 = 1_000_000;
/// The digits of a code.
const DIGITS: usize = 6;

/// What something mailed is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Beginning an account.
    SignUp,
    /// Joining an organization.
    Invitation,
    /// Setting a new password.
    Recovery,
    /// Showing that the address of an account is its owner's.
    Verification,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::Invitation => "invitation",
            Self::Recovery => "recovery",
            Self::Verification => "verification",
        }
    }

    /// Seconds that it is good for.
    const fn lifetime(self) -> i64 {
        match self {
            Self::SignUp | Self::Verification => 15 * 60,
            Self::Recovery => 30 * 60,
            Self::Invitation => 3 * 86_400,
        }
    }

    /// Whether there is a code to type beside the link.
    const fn has_code(self) -> bool {
        matches!(self, Self::SignUp | Self::Verification)
    }
}

/// What it is mailed for, where to, and for the organization of an invitation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) purpose: Purpose,
    pub(super) address: &'a str,
    pub(super) organization: OrganizationId,
}

impl<'a> Subject<'a> {
    /// Without an organization.
    pub(super) fn of(purpose: Purpose, address: &'a str) -> Self {
        Self { purpose, address, organization: Uuid::nil().into() }
    }
}

/// Something to mail.
pub(super) struct NewProof {
    /// What goes into a link: 192 bits.
    pub(super) token: SecretString,
    /// What is typed; empty where there is no code.
    pub(super) code: SecretString,
    row: MailedProofRow,
}

impl Core {
    /// Makes something to mail; `mailed` says whether it reaches the address and nobody else.
    pub(super) fn new_proof(&self, subject: Subject<'_>, mailed: bool) -> NewProof {
        let token = SecretString::from(self.random_text::<24>());
        let number = u64::from_be_bytes(random_bytes(self.entropy())) % 1_000_000;
        let code = SecretString::from(format!("{number:0DIGITS$}"));
        let now = self.now().micros();
        let expires_at = now + subject.purpose.lifetime() * SECOND;
        let code_hash = self.proof_hash(subject, expires_at, &code);
        let row = MailedProofRow {
            purpose: subject.purpose.as_str().into(),
            address: subject.address.into(),
            org_id: subject.organization,
            token_hash: self.proof_hash(subject, expires_at, &token).as_bytes().to_vec(),
            code_hash: subject.purpose.has_code().then(|| code_hash.as_bytes().to_vec()),
            tries: TRIES,
            mailed,
            sent_at: now,
            expires_at,
            failed: 0,
            window_ends_at: now,
        };
        NewProof { token, code, row }
    }

    /// Keeps what is about to be mailed in the place of what was mailed before; false when that
    /// was a moment ago, and stays good.
    pub(super) async fn put_proof(&self, tx: &mut Tx, proof: &NewProof) -> Result<bool> {
        // What somebody was handed has no mailbox to fill.
        let cool_down = if proof.row.mailed { COOL_DOWN } else { 0 };
        let sent_before = proof.row.sent_at - cool_down;
        Ok(mailed_proofs::put(tx, &proof.row, sent_before).await?)
    }

    /// What was mailed, if this is it. It is used up by [`Core::take_proof`] in the write that it
    /// was given for.
    pub(super) async fn check_proof(
        &self,
        subject: Subject<'_>,
        given: &SecretString,
    ) -> Result<Option<MailedProofRow>> {
        let text = given.expose_secret().trim();
        let given = SecretString::from(text);
        let (purpose, org) = (subject.purpose.as_str(), subject.organization);
        let found = mailed_proofs::find(&self.store, purpose, subject.address, org).await?;
        let (is_known, row) = match found {
            Some(row) => (true, row),
            None => (false, self.new_proof(subject, false).row),
        };
        let hash = self.proof_hash(subject, row.expires_at, &given);
        let holds = match row.code_hash.as_deref().filter(|_| is_code(text)) {
            // Counted before it is compared, whatever comes of it.
            Some(stored) => self.take_try(&row).await? && hash.ct_eq(stored),
            None => hash.ct_eq(&row.token_hash),
        };
        let is_alive = row.expires_at > self.now().micros();
        Ok((holds && is_known && is_alive).then_some(row))
    }

    /// Whether the long text of a link holds. Changes nothing, and so takes no code, whose tries
    /// are counted.
    pub(super) async fn holds_link(
        &self,
        subject: Subject<'_>,
        given: &SecretString,
    ) -> Result<bool> {
        if is_code(given.expose_secret().trim()) {
            return Ok(false);
        }
        Ok(self.check_proof(subject, given).await?.is_some())
    }

    /// Uses something mailed up; true for exactly one caller.
    pub(super) async fn take_proof(&self, tx: &mut Tx, row: &MailedProofRow) -> Result<bool> {
        Ok(mailed_proofs::take(tx, row).await?)
    }

    async fn take_try(&self, row: &MailedProofRow) -> Result<bool> {
        let now = self.now().micros();
        let mut tx = self.store.begin().await?;
        let taken = mailed_proofs::take_try(&mut tx, row, now, now + WINDOW, BUDGET).await?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Bound to all that it is for: no row can be moved to another address or made to last.
    fn proof_hash(&self, subject: Subject<'_>, expires_at: i64, text: &SecretString) -> LookupHash {
        let Subject { purpose, address, organization } = subject;
        let mut input = format!("{}\n{address}\n{organization}\n{expires_at}\n", purpose.as_str());
        input.push_str(text.expose_secret());
        self.keys.lookup.hash(HASHED_AS, SecretString::from(input).expose_secret())
    }
}

/// Whether somebody typed this, rather than followed a link.
fn is_code(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}
