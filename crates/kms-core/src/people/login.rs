//! Logging in with an e-mail address and a password.
//!
//! An unknown address, a wrong password, an account that is not complete and one without a
//! password cost the same and answer the same (attack H1): the same queries, one hash, the same
//! counters, one audit record.

use kms_api::auth::user::{Done, PasswordLogin, PasswordLoginResponse};
use kms_crypto::UserRefreshClaims;
use kms_store::{
    audit::NewAuditRecord,
    callers,
    user_sources::{self, PersonRow},
    users::UserRow,
};

use super::{EMAIL, Grant, Opened, session::nowhere, throttle::Attempt};
use crate::{
    Core, Error, Origin, Result, SignedIn,
    access::user_mac,
    audit::{AuditActor, Event},
    login::source_of,
    passwords::canonical_email,
};

/// The one answer to a login that does not hold (wire contract, errors).
const WRONG: &str = "Invalid username or email";

impl Core {
    /// Logs a person in with a password. A refresh token of theirs, if the request has one, shows
    /// that it is no stranger who tries.
    pub async fn password_login(
        &self,
        body: &PasswordLogin,
        refresh: Option<&str>,
        origin: &Origin,
    ) -> Result<Opened<PasswordLoginResponse>> {
        // What is no address belongs to nobody, and costs what an unknown one does.
        let email = canonical_email("email", &body.email).unwrap_or_default();
        let source = source_of(origin.ip);
        let person = user_sources::person(&self.store, &email, &source).await?;
        let session = self.own_session(refresh, person.as_ref()).await?;
        let seen = person.as_ref().is_some_and(|person| person.seen_at.is_some());
        let is_at_home = session.is_some() || seen;
        let attempt = self.attempt(&email, session.unwrap_or(source), is_at_home);
        let user = person.map(|person| person.user);
        match self.try_password(body, &attempt, user.as_ref(), origin).await {
            Err(error @ Error::RateLimited { .. }) => {
                self.log_now(self.refused_login(user.as_ref(), "throttled", origin)).await?;
                Err(error)
            }
            other => other,
        }
    }

    async fn try_password(
        &self,
        body: &PasswordLogin,
        attempt: &Attempt,
        user: Option<&UserRow>,
        origin: &Origin,
    ) -> Result<Opened<PasswordLoginResponse>> {
        self.require_turn(attempt).await?;
        let turn = self.passwords.turn().await?;
        // Asked again: what waited with it may have failed.
        let has_failed = self.require_turn(attempt).await?;
        let stored = user.filter(|user| user.is_accepted);
        let stored = stored.and_then(|user| user.password_hash.as_deref());
        let (holds, turn) = turn.verify(&body.password, stored).await?;
        match user {
            Some(user) if holds => {
                drop(turn);
                self.admit_person(user, attempt, has_failed, origin).await
            }
            user => {
                let mut tx = self.store.begin().await?;
                self.count_failure(&mut tx, attempt).await?;
                tx.audit(self.refused_login(user, "wrong", origin));
                tx.commit().await?;
                // Held until the failure counts, so that guesses at once are no more than run.
                drop(turn);
                Err(Error::bad_request(WRONG))
            }
        }
    }

    async fn admit_person(
        &self,
        user: &UserRow,
        attempt: &Attempt,
        has_failed: bool,
        origin: &Origin,
    ) -> Result<Opened<PasswordLoginResponse>> {
        user_mac(&self.keys.rows, user).verify(&user.mac)?;
        let mut tx = self.store.begin().await?;
        if has_failed {
            self.forget_failures(&mut tx, attempt).await?;
        }
        let now = self.now().micros();
        user_sources::seen(&mut tx, user.id, &source_of(origin.ip), now).await?;
        let tokens = self.start_session(&mut tx, user, &Grant::default(), origin).await?;
        let event = Event::new("user-login").details([("authMethod", EMAIL.into())]);
        tx.audit(self.person_record(None, user.id, origin, &event));
        tx.commit().await?;
        let answer = PasswordLoginResponse { access_token: tokens.access };
        Ok(Opened { answer, refresh: tokens.refresh })
    }

    /// What failures are counted for where a request brings a living session of the account along.
    async fn own_session(
        &self,
        refresh: Option<&str>,
        person: Option<&PersonRow>,
    ) -> Result<Option<String>> {
        let now = self.now().seconds();
        let (Some(token), Some(person)) = (refresh, person) else { return Ok(None) };
        let Ok(claims) = self.keys.tokens.verify::<UserRefreshClaims>(token, now) else {
            return Ok(None);
        };
        if claims.user_id != person.user.id.uuid() {
            return Ok(None);
        }
        let session = claims.token_version_id.into();
        let row = callers::user(&self.store, person.user.id, session, None).await?;
        let login_at = row.and_then(|row| self.live_session(&row).map(|row| row.login_at).ok());
        // Sessions that were split off one login count as that one: whoever stole one cannot make
        // counters by making sessions.
        Ok(login_at.map(|login_at| format!("login {login_at}")))
    }

    fn refused_login(
        &self,
        user: Option<&UserRow>,
        reason: &str,
        origin: &Origin,
    ) -> NewAuditRecord {
        let actor = AuditActor { kind: "unknownUser", id: None, metadata: "{}".into() };
        let event = Event::new("user-login-failed").details([
            ("userId", user.map(|user| user.id.to_string()).into()),
            ("reason", reason.into()),
        ]);
        self.record_of(nowhere(), &actor, origin, &event)
    }

    /// Says that a token is good, to whoever shows it.
    pub fn check_auth(&self, _: &SignedIn) -> Done {
        Done { message: "Authenticated".into() }
    }
}
