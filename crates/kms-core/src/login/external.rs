//! Logging in with a proof that somebody outside of this server vouches for.
//!
//! One query (or none, where the embedded server remembers its answer), whatever it takes to verify
//! the proof, then the records of the login. An identity that does not exist, or does not have the
//! method, answers like a proof that is not believed (attack C15).

#[cfg(test)]
mod tests;

use kms_api::{IdentityId, auth::LoginResponse};
use kms_auth::{AuthError, Login, Principal, Replay, UNVERIFIED};
use kms_store::{
    Tx,
    logins::SubjectRow,
    used_proofs::{self, Use},
};
use serde_json::Value;

use super::{Admitted, after, is_refusal, source_of, wanted_slug};
use crate::{Core, Error, Origin, Result, audit::Event, auth_methods::ExternalMethod};

/// The most that a token says about what a method learnt, as JSON, in bytes: a token is sent with
/// every request.
const MAX_CLAIMS: usize = 4_096;
/// The most that an audit record says about one of them, in bytes.
const MAX_FACT: usize = 1_024;

impl Core {
    /// Logs a machine in by a method that somebody outside vouches for. `origins` are those that
    /// this server is reached at.
    pub async fn external_login<M: ExternalMethod>(
        &self,
        proof: &M::Proof,
        origin: &Origin,
        origins: &[String],
    ) -> Result<LoginResponse> {
        let slug = wanted_slug(M::organization_slug(proof))?;
        let identity = M::identity(proof);
        let Some(row) = self.subject(identity, M::SLUG).await? else {
            self.log_refused::<M>(identity, None, origin, "no such identity and method").await?;
            return Err(Error::unauthorized(UNVERIFIED));
        };
        self.require_genuine(&row)?;
        let config = self.configuration::<M>(&row.method, &row.home)?;
        let now = self.now().seconds();
        let login = Login { verifier: &self.verifier, identity, now, origins };
        let principal = match M::verify(&config, proof, login).await {
            Ok(principal) => principal,
            Err(error) => {
                self.log_refused::<M>(identity, Some(&row), origin, error.reason()).await?;
                return Err(refusal(&error));
            }
        };
        match self.admit_principal::<M>(&row, slug.as_deref(), principal, origin).await {
            Err(error) if is_refusal(&error) => {
                self.log_refused::<M>(identity, Some(&row), origin, &error.to_string()).await?;
                Err(error)
            }
            other => other,
        }
    }

    /// Everything after the proof was found to be genuine.
    async fn admit_principal<M: ExternalMethod>(
        &self,
        row: &SubjectRow,
        slug: Option<&str>,
        principal: Principal,
        origin: &Origin,
    ) -> Result<LoginResponse> {
        let Principal { identity_auth, facts, replay } = principal;
        let claims = serde_json::to_string(&identity_auth).unwrap_or_default();
        if claims.len() > MAX_CLAIMS {
            let text = "Access denied: what this login says of the machine is too long for a token";
            return Err(Error::unauthorized(text));
        }
        let scope = self.scope_of(row, slug).await?;
        let mut admitted = Admitted::new(&row.identity, &row.method, &scope);
        admitted.identity_auth = identity_auth;
        let issued = self.issue(&admitted)?;
        let mut tx = self.store.begin().await?;
        if let Some(replay) = &replay {
            self.use_once(&mut tx, replay, origin).await?;
        }
        let details = [
            ("identityId", Value::from(row.identity.id.to_string())),
            ("authMethodId", row.method.id.to_string().into()),
            ("identityAccessTokenId", issued.token.to_string().into()),
        ];
        let facts = facts.into_iter().map(|(name, fact)| (name, cut(&fact).into()));
        let event = Event::new(M::NAMES.logged_in).details(details.into_iter().chain(facts));
        tx.audit(self.login_record(row, &scope, origin, &event));
        tx.commit().await?;
        if let Some(membership) = &row.membership.0 {
            self.ledger.note_login(membership.id, M::SLUG, self.now().micros());
        }
        Ok(issued.answer)
    }

    /// Refuses a proof that was used by somebody else, or too long ago (attack C4).
    async fn use_once(&self, tx: &mut Tx, replay: &Replay, origin: &Origin) -> Result<()> {
        let now = self.now().micros();
        let used = Use {
            id: &replay.id,
            peer: &source_of(origin.ip),
            now,
            repeatable_after: after(now, -Replay::RETRY_SECONDS),
            expires_at: after(0, replay.expires_at),
        };
        if used_proofs::take(tx, &used).await? {
            return Ok(());
        }
        Err(Error::unauthorized("Access denied: this signed request was used before"))
    }

    async fn log_refused<M: ExternalMethod>(
        &self,
        identity: IdentityId,
        row: Option<&SubjectRow>,
        origin: &Origin,
        reason: &str,
    ) -> Result<()> {
        let reason = cut(reason);
        let details = [("identityId", identity.to_string().into()), ("reason", reason.into())];
        let event = Event::new(M::NAMES.refused).details(details);
        self.log_now(self.refusal_record(row, origin, &event)).await
    }
}

/// A text as an audit record has it: whoever signs tokens decides how long their claims are.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_FACT)]
}

/// What is answered to a proof that was refused.
fn refusal(error: &AuthError) -> Error {
    match error.status() {
        403 => Error::forbidden(error.to_string()),
        _ => Error::unauthorized(error.to_string()),
    }
}
