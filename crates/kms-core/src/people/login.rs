//! Logging in with an e-mail address and a password.
//!
//! An unknown address, a wrong password, an account that is not complete and one without a
//! password cost the same and answer the same (attack H1): the same queries, one hash, the same
//! counters, one audit record.

use kms_api::{
    SessionId, UserId,
    auth::user::{Done, PasswordLogin, PasswordLoginResponse},
};
use kms_crypto::{UserPageClaims, UserRefreshClaims};
use kms_store::{
    audit::NewAuditRecord,
    callers,
    user_sessions::SessionRow,
    user_sources::{self, PersonRow},
    users::UserRow,
};

use super::{
    EMAIL, Grant, Opened, Page,
    page::PAGE_SECONDS,
    session::{Start, nowhere},
    throttle::Attempt,
};
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
        let start = Start { auth_method: EMAIL, chosen: None, longest: None };
        let session = self.log_in(body, &start, refresh, origin).await?;
        let tokens = self.session_tokens(&session, &Grant::default())?;
        let answer = PasswordLoginResponse { access_token: tokens.access };
        Ok(Opened { answer, refresh: tokens.refresh })
    }

    /// Signs a person in with a browser, by password. A token that the browser has from before
    /// shows that it is no stranger who tries.
    pub async fn page_login(
        &self,
        body: &PasswordLogin,
        former: Option<&str>,
        origin: &Origin,
    ) -> Result<Page> {
        let start = Start { auth_method: EMAIL, chosen: None, longest: Some(PAGE_SECONDS) };
        let session = self.log_in(body, &start, former, origin).await?;
        self.page_token(&session, None)
    }

    async fn log_in(
        &self,
        body: &PasswordLogin,
        start: &Start,
        former: Option<&str>,
        origin: &Origin,
    ) -> Result<SessionRow> {
        // What is no address belongs to nobody, and costs what an unknown one does.
        let email = canonical_email("email", &body.email).unwrap_or_default();
        let source = source_of(origin.ip);
        let person = user_sources::person(&self.store, &email, &source).await?;
        let session = self.own_session(former, person.as_ref()).await?;
        let seen = person.as_ref().is_some_and(|person| person.seen_at.is_some());
        let is_at_home = session.is_some() || seen;
        let attempt = self.attempt(&email, session.unwrap_or(source), is_at_home);
        let user = person.map(|person| person.user);
        match self.try_password(body, start, &attempt, user.as_ref(), origin).await {
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
        start: &Start,
        attempt: &Attempt,
        user: Option<&UserRow>,
        origin: &Origin,
    ) -> Result<SessionRow> {
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
                self.admit_person(user, start, attempt, has_failed, origin).await
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
        start: &Start,
        attempt: &Attempt,
        has_failed: bool,
        origin: &Origin,
    ) -> Result<SessionRow> {
        user_mac(&self.keys.rows, user).verify(&user.mac)?;
        let mut tx = self.store.begin().await?;
        if has_failed {
            self.forget_failures(&mut tx, attempt).await?;
        }
        let now = self.now().micros();
        user_sources::seen(&mut tx, user.id, &source_of(origin.ip), now).await?;
        let session = self.begin_session(&mut tx, user, start, origin).await?;
        let event = Event::new("user-login").details([("authMethod", EMAIL.into())]);
        tx.audit(self.person_record(None, user.id, origin, &event));
        tx.commit().await?;
        Ok(session)
    }

    /// What failures are counted for where a request brings a living session of the account along.
    async fn own_session(
        &self,
        former: Option<&str>,
        person: Option<&PersonRow>,
    ) -> Result<Option<String>> {
        let (Some(token), Some(person)) = (former, person) else { return Ok(None) };
        let Some((user, session)) = self.session_of_token(token) else { return Ok(None) };
        if user != person.user.id {
            return Ok(None);
        }
        let row = callers::user(&self.store, person.user.id, session, None).await?;
        let login_at = row.and_then(|row| self.live_session(&row).map(|row| row.login_at).ok());
        // Sessions that were split off one login count as that one: whoever stole one cannot make
        // counters by making sessions.
        Ok(login_at.map(|login_at| format!("login {login_at}")))
    }

    /// Whose a refresh token or a browser's token is.
    fn session_of_token(&self, token: &str) -> Option<(UserId, SessionId)> {
        let (tokens, now) = (&self.keys.tokens, self.now().seconds());
        if let Ok(claims) = tokens.verify::<UserRefreshClaims>(token, now) {
            return Some((claims.user_id.into(), claims.token_version_id.into()));
        }
        let claims = tokens.verify::<UserPageClaims>(token, now).ok()?;
        Some((claims.user_id.into(), claims.token_version_id.into()))
    }

    pub(super) fn refused_login(
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
