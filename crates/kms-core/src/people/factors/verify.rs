//! Giving a second factor to a login that waits for one.

use kms_api::{
    OrganizationId, SessionId, UserId,
    auth::user::{Done, MfaVerified, VerifyMfa, VerifyRecoveryCode},
};
use kms_crypto::{MfaClaims, TokenError, TokenPurpose};
use kms_store::{
    Tx,
    callers::{self, UserCallerRow},
    second_factors,
    user_sessions::SessionRow,
    users::UserRow,
};
use secrecy::SecretString;

use super::{APP, MAIL};
use crate::{
    Core, Error, Origin, Result, SecondFactor, SignedIn,
    audit::Event,
    people::{Grant, Opened, PASSKEY, Page, session::set_refresh_tokens_aside},
};

/// Seconds that a login waits for its second factor (wire contract, user tokens).
const PENDING: i64 = 300;

/// A login that waits for its second factor.
#[derive(Clone, Debug)]
pub struct PendingLogin {
    /// Who.
    pub user: UserId,
    /// The session that waits.
    pub session: SessionId,
    /// Which second factor it waits for.
    method: String,
    origin: Origin,
}

/// What is given.
enum Given<'a> {
    App(&'a SecretString),
    Mail(&'a SecretString),
    /// A recovery code, hashed as it is stored.
    Recovery([u8; 32]),
}

impl Core {
    /// A token that is good for giving a second factor and for nothing else.
    pub(in crate::people) fn pending_token(
        &self,
        signed_in: &SignedIn,
        root: OrganizationId,
        method: &str,
    ) -> Result<String> {
        let now = self.now().seconds();
        let claims = MfaClaims {
            auth_token_type: TokenPurpose::Mfa,
            auth_method: signed_in.auth_method.to_string(),
            user_id: signed_in.user.id.uuid(),
            token_version_id: signed_in.user.session.uuid(),
            mfa_method: method.to_owned(),
            organization_id: Some(root.uuid()),
            iat: now,
            exp: now + PENDING,
        };
        Ok(self.keys.tokens.sign(&claims)?)
    }

    /// The login that a bearer token waits in.
    pub async fn authenticate_pending(&self, bearer: &str, origin: Origin) -> Result<PendingLogin> {
        crate::sessions::refuse_service_token(bearer)?;
        let claims = self.keys.tokens.verify::<MfaClaims>(bearer, self.now().seconds());
        let claims = claims.map_err(|error| match error {
            TokenError::Expired => Error::SecondFactor(SecondFactor::Expired),
            other => other.into(),
        })?;
        let pending = PendingLogin {
            user: claims.user_id.into(),
            session: claims.token_version_id.into(),
            method: claims.mfa_method,
            origin,
        };
        let row = self.pending_row(&self.store, &pending).await?;
        self.live_session(&row)?;
        Ok(pending)
    }

    async fn pending_row(
        &self,
        source: impl kms_store::Source,
        pending: &PendingLogin,
    ) -> Result<UserCallerRow> {
        let row = callers::user(source, pending.user, pending.session, None).await?;
        row.ok_or_else(|| Error::not_found("User not found"))
    }

    /// Takes a code of the second factor.
    pub async fn verify_mfa(
        &self,
        pending: &PendingLogin,
        body: &VerifyMfa,
    ) -> Result<Opened<MfaVerified>> {
        match body.mfa_method.as_deref().unwrap_or(&pending.method) {
            APP => self.take_factor(pending, APP, Given::App(&body.mfa_token)).await,
            MAIL => self.take_factor(pending, MAIL, Given::Mail(&body.mfa_token)).await,
            PASSKEY => Err(needs_browser()),
            _ => Err(Error::bad_request("This server takes codes by `email` and of `totp` apps")),
        }
    }

    /// Takes a recovery code in place of an authenticator app's.
    pub async fn verify_recovery_code(
        &self,
        pending: &PendingLogin,
        body: &VerifyRecoveryCode,
    ) -> Result<Opened<MfaVerified>> {
        if pending.method == PASSKEY {
            return Err(needs_browser());
        }
        let hash = self.recovery_hash(pending.user, &body.recovery_code).await?;
        self.take_factor(pending, APP, Given::Recovery(hash)).await
    }

    /// Mails a new code, where the login waits for one.
    pub async fn send_mfa_code(&self, pending: &PendingLogin) -> Result<Done> {
        if pending.method != MAIL {
            return Err(Error::bad_request("This login waits for no code by mail"));
        }
        let row = self.pending_row(&self.store, pending).await?;
        self.mail_code(&row.user, &pending.origin, true).await?;
        Ok(Done { message: "Successfully sent new MFA code".into() })
    }

    /// Whether the person has an authenticator app.
    pub async fn pending_has_app(&self, pending: &PendingLogin) -> Result<bool> {
        self.has_app(pending.user).await
    }

    /// Takes a code, or a recovery code, of somebody who signed in with a browser.
    pub async fn verify_page_factor(
        &self,
        signed_in: &SignedIn,
        method: &str,
        code: &SecretString,
        is_recovery: bool,
    ) -> Result<Page> {
        let (method, given) = match method {
            APP if is_recovery => {
                let hash = self.recovery_hash(signed_in.user.id, code).await?;
                (APP, Given::Recovery(hash))
            }
            APP => (APP, Given::App(code)),
            MAIL => (MAIL, Given::Mail(code)),
            _ => return Err(Error::bad_request("There is no code of that kind")),
        };
        let pending = PendingLogin {
            user: signed_in.user.id,
            session: signed_in.user.session,
            method: method.to_owned(),
            origin: signed_in.origin.clone(),
        };
        let session = self.accept_factor(&pending, method, given).await?;
        self.confirmed_page_token(&session, Some(method), signed_in.proven_at)
    }

    /// Mails the code that somebody who signed in with a browser owes, unless that was just done.
    pub async fn send_page_code(&self, signed_in: &SignedIn, insist: bool) -> Result<()> {
        let user = kms_store::users::find(&self.store, signed_in.user.id).await?;
        let user = user.ok_or_else(|| Error::not_found("User not found"))?;
        self.mail_code(&user, &signed_in.origin, insist).await
    }

    /// Whether the person has a passkey.
    pub async fn pending_has_passkeys(&self, pending: &PendingLogin) -> Result<bool> {
        Ok(self.held(pending.user).await?.has_passkeys)
    }

    async fn take_factor(
        &self,
        pending: &PendingLogin,
        method: &'static str,
        given: Given<'_>,
    ) -> Result<Opened<MfaVerified>> {
        let session = self.accept_factor(pending, method, given).await?;
        let grant = Grant { chosen: None, factor: Some(method.to_owned()) };
        let tokens = self.session_tokens(&session, &grant)?;
        Ok(Opened { answer: MfaVerified { token: tokens.access }, refresh: tokens.refresh })
    }

    /// Takes a second factor; answers the session, which it is good for from now on.
    async fn accept_factor(
        &self,
        pending: &PendingLogin,
        method: &'static str,
        given: Given<'_>,
    ) -> Result<SessionRow> {
        let mut tx = self.store.begin().await?;
        let row = self.pending_row(&mut tx, pending).await?;
        let former = self.live_session(&row)?.clone();
        if let Err(refused) = self.count_code(&mut tx, pending.user).await {
            drop(tx);
            let event = factor_event("mfa-locked", method);
            self.log_now(self.person_record(None, pending.user, &pending.origin, &event)).await?;
            return Err(refused);
        }
        if !self.holds(&mut tx, &row.user, given).await? {
            let event = factor_event("mfa-failed", method);
            tx.audit(self.person_record(None, pending.user, &pending.origin, &event));
            tx.commit().await?;
            return Err(Error::SecondFactor(SecondFactor::Wrong));
        }
        self.forget_codes(&mut tx, pending.user).await?;
        // Tokens of before the second factor are set aside.
        let now = self.now().micros();
        let mut next = SessionRow { last_used_at: now, ..former.clone() };
        set_refresh_tokens_aside(&mut next);
        if !self.update_session(&mut tx, &mut next, &former).await? {
            return Err(Error::RateLimited { retry_after: 1 });
        }
        let event = factor_event("mfa-verified", method);
        tx.audit(self.person_record(None, pending.user, &pending.origin, &event));
        tx.commit().await?;
        Ok(next)
    }

    async fn holds(&self, tx: &mut Tx, user: &UserRow, given: Given<'_>) -> Result<bool> {
        match given {
            Given::App(code) => self.take_app_code(tx, user.id, code, true).await,
            Given::Mail(code) => self.take_mailed_code(tx, user.id, code).await,
            Given::Recovery(hash) => {
                Ok(second_factors::take_recovery_code(tx, user.id, &hash).await?)
            }
        }
    }
}

/// A passkey is asked for where there is no browser.
fn needs_browser() -> Error {
    Error::bad_request("A passkey is asked for, which works in a browser: log in with `kms login`")
}

fn factor_event(kind: &'static str, method: &'static str) -> Event {
    Event::new(kind).details([("mfaMethod", method.into())])
}
