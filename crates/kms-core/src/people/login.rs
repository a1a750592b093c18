//! Logging in with an e-mail address and a password.
//!
//! An unknown address, a wrong password, an account that is not complete and one without a
//! password cost the same and answer the same (attack H1): one query, one hash, one audit record.

use kms_api::auth::user::{Done, PasswordLogin, PasswordLoginResponse};
use kms_store::{
    audit::NewAuditRecord,
    users::{self, UserRow},
};

use super::{EMAIL, Grant, Opened, session::nowhere};
use crate::{
    Core, Error, Origin, Result, SignedIn,
    access::user_mac,
    audit::{AuditActor, Event},
    passwords::canonical_email,
};

/// The one answer to a login that does not hold (wire contract, errors).
const WRONG: &str = "Invalid username or email";

impl Core {
    /// Logs a person in with a password.
    pub async fn password_login(
        &self,
        body: &PasswordLogin,
        origin: &Origin,
    ) -> Result<Opened<PasswordLoginResponse>> {
        // What is no address belongs to nobody, and costs what an unknown one does.
        let email = canonical_email("email", &body.email).unwrap_or_default();
        let user = users::by_username(&self.store, &email).await?;
        let stored = user.as_ref().filter(|user| user.is_accepted);
        let stored = stored.and_then(|user| user.password_hash.as_deref());
        let holds = self.passwords.verify(&body.password, stored).await?;
        match user {
            Some(user) if holds => self.admit_person(&user, origin).await,
            user => {
                self.log_now(self.refused_login(user.as_ref(), origin)).await?;
                Err(Error::bad_request(WRONG))
            }
        }
    }

    async fn admit_person(
        &self,
        user: &UserRow,
        origin: &Origin,
    ) -> Result<Opened<PasswordLoginResponse>> {
        user_mac(&self.keys.rows, user).verify(&user.mac)?;
        let mut tx = self.store.begin().await?;
        let tokens = self.start_session(&mut tx, user, &Grant::default(), origin).await?;
        let event = Event::new("user-login").details([("authMethod", EMAIL.into())]);
        tx.audit(self.person_record(None, user.id, origin, &event));
        tx.commit().await?;
        let answer = PasswordLoginResponse { access_token: tokens.access };
        Ok(Opened { answer, refresh: tokens.refresh })
    }

    fn refused_login(&self, user: Option<&UserRow>, origin: &Origin) -> NewAuditRecord {
        let actor = AuditActor { kind: "unknownUser", id: None, metadata: "{}".into() };
        let event = Event::new("user-login-failed")
            .details([("userId", user.map(|user| user.id.to_string()).into())]);
        self.record_of(nowhere(), &actor, origin, &event)
    }

    /// Says that a token is good, to whoever shows it.
    pub fn check_auth(&self, _: &SignedIn) -> Done {
        Done { message: "Authenticated".into() }
    }
}
