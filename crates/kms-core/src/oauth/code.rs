//! Authorization codes: made when a person confirms, traded once by the program that asked.
//!
//! A code is worth a session of the person who confirmed, so its row says all that it is bound to
//! and is authenticated. The code alone is worth nothing: whoever trades it shows the verifier
//! (attack L2). It is good for a minute and for one session; whoever trades it again, verifier and
//! all, ends that session, since one of the two was not the program (RFC 6749, section 4.1.2).

use kms_api::{
    OrganizationId,
    oauth::{CLI_CLIENT, TokenRequest, TokenResponse},
};
use kms_crypto::{LookupHash, pkce};
use kms_store::{
    audit::NewAuditRecord,
    authorization_codes::{self, AuthorizationCodeRow},
    user_sessions,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{LoginRequest, OAuthError, require_client, secret, text};
use crate::{
    Core, Origin, Result, SignedIn,
    access::authorization_code_mac,
    audit::{AuditActor, Event},
    people::{Approval, Chosen, nowhere},
};

/// What codes are hashed as.
const HASHED_AS: &str = "authorization-code";
/// Microseconds that a code is good for.
const GOOD_FOR: i64 = 60_000_000;
/// How a program comes by its session here, for the audit log.
const BY_CODE: &str = "authorization-code";

impl Core {
    /// Confirms a program's login and answers where the browser is sent with the code.
    pub async fn confirm_login(
        &self,
        signed_in: &SignedIn,
        request: &LoginRequest,
        organization: OrganizationId,
    ) -> Result<String> {
        let approval = self.approve(signed_in, organization).await?;
        let code = SecretString::from(self.random_text::<20>());
        let mut row = AuthorizationCodeRow {
            code_hash: self.code_hash(&code).as_bytes().to_vec(),
            client_id: CLI_CLIENT.into(),
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            user_id: approval.user,
            session_id: approval.session,
            root_id: approval.chosen.root,
            sub_id: approval.chosen.sub,
            factor: approval.factor,
            expires_at: self.now().micros() + GOOD_FOR,
            made_session_id: None,
            mac: Vec::new(),
        };
        row.mac = authorization_code_mac(&self.keys.rows, &row).finish().to_vec();
        let mut tx = self.store.begin().await?;
        authorization_codes::insert(&mut tx, &row).await?;
        let there = SignedIn { organization: Some(organization), ..signed_in.clone() };
        tx.audit(self.signed_in_record(&there, &event("program-login-confirmed", request)));
        tx.commit().await?;
        Ok(request.answered("code", code.expose_secret()))
    }

    /// Denies a program's login and answers where the browser is sent with that.
    pub async fn deny_login(&self, signed_in: &SignedIn, request: &LoginRequest) -> Result<String> {
        let event = event("program-login-denied", request);
        self.log_now(self.signed_in_record(signed_in, &event)).await?;
        Ok(request.answered("error", "access_denied"))
    }

    /// Trades a code for the session that was confirmed.
    pub(super) async fn redeem_code(
        &self,
        body: &TokenRequest,
        origin: &Origin,
    ) -> Result<TokenResponse, OAuthError> {
        let code = secret(body.code.as_ref(), "code is missing")?;
        let verifier = secret(body.code_verifier.as_ref(), "code_verifier is missing")?;
        let redirect_uri = text(body.redirect_uri.as_deref(), "redirect_uri is missing")?;
        require_client(text(body.client_id.as_deref(), "client_id is missing")?)?;
        let hash = self.code_hash(code);
        let found = authorization_codes::find(&self.store, hash.as_bytes()).await?;
        let Some(row) = found.filter(|row| hash.ct_eq(&row.code_hash)) else {
            return Err(self.refuse_code(None, "unknown", origin).await?);
        };
        authorization_code_mac(&self.keys.rows, &row).verify(&row.mac)?;
        if row.client_id != CLI_CLIENT || row.redirect_uri != redirect_uri {
            return Err(self.refuse_code(Some(&row), "another-request", origin).await?);
        }
        if !pkce::verify(verifier, &row.challenge) {
            return Err(self.refuse_code(Some(&row), "verifier", origin).await?);
        }
        if row.made_session_id.is_some() {
            return Err(self.end_reused_code(&row.code_hash, origin).await?);
        }
        if row.expires_at <= self.now().micros() {
            return Err(self.refuse_code(Some(&row), "expired", origin).await?);
        }
        self.trade(row, origin).await
    }

    async fn trade(
        &self,
        row: AuthorizationCodeRow,
        origin: &Origin,
    ) -> Result<TokenResponse, OAuthError> {
        let approval = Approval {
            user: row.user_id,
            session: row.session_id,
            chosen: chosen(&row),
            factor: row.factor.clone(),
        };
        let admission = match self.admit_program(&approval).await.map_err(OAuthError::no_longer) {
            Ok(admission) => admission,
            Err(error @ OAuthError::Core(_)) => return Err(error),
            Err(_) => return Err(self.refuse_code(Some(&row), "no-longer", origin).await?),
        };
        let mut tx = self.store.begin().await?;
        let opened = self.open_session(&mut tx, admission, BY_CODE, origin).await;
        let session = opened.map_err(OAuthError::no_longer)?;
        let mut used = AuthorizationCodeRow { made_session_id: Some(session.id), ..row };
        used.mac = authorization_code_mac(&self.keys.rows, &used).finish().to_vec();
        if authorization_codes::take(&mut tx, &used).await? {
            tx.commit().await?;
            return Ok(session.answer);
        }
        // Somebody else trades it at this very moment.
        drop(tx);
        Err(self.end_reused_code(&used.code_hash, origin).await?)
    }

    /// Ends the session that a code was traded for, since the code is in two hands. Looked at in the
    /// write itself: what was traded at the same moment may not be readable outside of one yet.
    async fn end_reused_code(&self, code_hash: &[u8], origin: &Origin) -> Result<OAuthError> {
        let mut tx = self.store.begin().await?;
        let row = authorization_codes::find(&mut tx, code_hash).await?;
        let Some(row) = row else { return Ok(invalid()) };
        authorization_code_mac(&self.keys.rows, &row).verify(&row.mac)?;
        let Some(session) = row.made_session_id else { return Ok(invalid()) };
        user_sessions::delete(&mut tx, row.user_id, session).await?;
        self.touches_rights(&mut tx);
        let event = Event::new("authorization-code-reuse")
            .details([("sessionId", session.to_string().into())]);
        tx.audit(self.code_record(Some(&row), origin, &event));
        tx.commit().await?;
        tracing::warn!(session.id = %session, "an authorization code was used again");
        Ok(invalid())
    }

    /// Records that a code was refused, and why; the program is not told which.
    async fn refuse_code(
        &self,
        row: Option<&AuthorizationCodeRow>,
        reason: &'static str,
        origin: &Origin,
    ) -> Result<OAuthError> {
        let event = Event::new("authorization-code-refused").details([("reason", reason.into())]);
        self.log_now(self.code_record(row, origin, &event)).await?;
        Ok(invalid())
    }

    fn code_record(
        &self,
        row: Option<&AuthorizationCodeRow>,
        origin: &Origin,
        event: &Event,
    ) -> NewAuditRecord {
        let Some(row) = row else {
            let actor = AuditActor { kind: "unknownUser", id: None, metadata: "{}".into() };
            return self.record_of(nowhere(), &actor, origin, event);
        };
        self.person_record(Some(chosen(row).organization()), row.user_id, origin, event)
    }

    fn code_hash(&self, code: &SecretString) -> LookupHash {
        self.keys.lookup.hash(HASHED_AS, code.expose_secret())
    }
}

fn chosen(row: &AuthorizationCodeRow) -> Chosen {
    Chosen { root: row.root_id, sub: row.sub_id }
}

fn event(kind: &'static str, request: &LoginRequest) -> Event {
    Event::new(kind).details([
        ("client", CLI_CLIENT.into()),
        ("redirectUri", request.redirect_uri.clone().into()),
        ("host", request.host.clone().into()),
    ])
}

/// What a code that is not good answers, whatever is wrong with it.
fn invalid() -> OAuthError {
    OAuthError::InvalidGrant("The code is not good, or no longer; log in again")
}
