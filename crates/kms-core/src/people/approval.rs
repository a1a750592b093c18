//! Logins of a program that a person approves in a browser.
//!
//! The person approves at a page ([`Core::approve`]), the program has its session later and
//! elsewhere, by a code or by asking until it is there ([`Core::admit`], [`Core::open_session`]).
//! What was approved rests on the page's session and ends with it, and is good for no more than
//! that one is: when, how and with which second factor the person logged in comes from there.

use kms_api::{
    OrganizationId, SessionId, UserId,
    oauth::{OrganizationName, SessionDescription, TokenResponse},
};
use kms_crypto::UserAccessClaims;
use kms_store::{
    Tx, callers,
    organizations::{self, OrganizationRow},
    user_sessions::{self, SessionRow},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Chosen, Grant};
use crate::{
    Core, Error, Origin, Result, SignedIn,
    audit::Event,
    organizations::{not_found, session_seconds},
};

/// The type of every access token.
const BEARER: &str = "Bearer";
/// How a program comes by its session from the page itself, for the audit log.
const BY_PAGE: &str = "hand-over";

/// What a person approved: a session for a program, as them, somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Approval {
    /// Who approved.
    pub(crate) user: UserId,
    /// The page's session, with which the approval ends.
    pub(crate) session: SessionId,
    /// Where the program's session acts.
    pub(crate) chosen: Chosen,
    /// Which second factor was given at the page.
    pub(crate) factor: Option<String>,
}

/// An approval that was looked at now and still holds.
pub(crate) struct Admission {
    page: SessionRow,
    grant: Grant,
    organization: OrganizationId,
    expires_at: i64,
    description: SessionDescription,
}

/// The session that a program was given.
pub(crate) struct ProgramSession {
    /// The session.
    pub(crate) id: SessionId,
    /// What the program is answered.
    pub(crate) answer: TokenResponse,
}

impl Core {
    /// Approves a program's session in an organization or sub-organization, where the person may
    /// act there and owes nothing more (attack H5). Others' organizations answer as if they were
    /// none (attack T1).
    pub(crate) async fn approve(
        &self,
        signed_in: &SignedIn,
        organization: OrganizationId,
    ) -> Result<Approval> {
        let place = self.page_place(signed_in, organization).await?;
        if place.owed.is_some() {
            return Err(Error::Forbidden {
                name: "MfaRequired".into(),
                message: "This organization asks for a second factor first".into(),
            });
        }
        Ok(Approval {
            user: signed_in.user.id,
            session: signed_in.user.session,
            chosen: place.chosen,
            factor: signed_in.factor.clone(),
        })
    }

    /// Asks everything anew that an approval rests on: account, page session, memberships, second
    /// factor, how long the organization lets logins last.
    pub(crate) async fn admit_program(&self, approval: &Approval) -> Result<Admission> {
        let Approval { user, session, chosen, factor } = approval;
        let organization = chosen.organization();
        let row = callers::user(&self.store, *user, *session, Some(organization)).await?;
        let row = row.ok_or_else(|| Error::not_found("User not found"))?;
        let page = self.live_session(&row)?.clone();
        self.require_member_of(&row, *chosen).await?;
        let root = self.genuine(chosen.root).await?;
        self.require_way_in_still(&root, *user, page.provider_id).await?;
        self.require_factor(&row.user, &root, &page, factor.as_deref()).await?;
        let limit = root.user_token_expiration.as_deref().and_then(session_seconds);
        let expires_at = self.session_end(page.login_at, limit);
        if expires_at <= self.now().micros() {
            return Err(Error::forbidden(
                "This organization ends logins sooner than that; log in again",
            ));
        }
        let sub_organization = match chosen.sub {
            Some(sub) => Some(name_of(self.genuine(sub).await?)),
            None => None,
        };
        let description = SessionDescription {
            user_id: *user,
            email: row.user.email.clone(),
            organization: name_of(root),
            sub_organization,
        };
        let grant = Grant { chosen: Some(*chosen), factor: factor.clone() };
        Ok(Admission { page, grant, organization, expires_at, description })
    }

    /// Starts the program's session and records it; `by` is how the program came by it, such as
    /// `authorization-code`. Belongs into the write that uses the approval up.
    pub(crate) async fn open_session(
        &self,
        tx: &mut Tx,
        admission: Admission,
        by: &'static str,
        origin: &Origin,
    ) -> Result<ProgramSession> {
        let Admission { page, grant, organization, expires_at, description } = admission;
        let found = user_sessions::find(&mut *tx, page.user_id, page.id).await?;
        // Ended since it was looked at.
        if found.is_none_or(|found| found.access_version != page.access_version) {
            return Err(Error::not_found("Session not found"));
        }
        let now = self.now().micros();
        let id = self.new_id();
        let mut row = SessionRow {
            id,
            access_version: 1,
            refresh_version: 1,
            refresh_used: None,
            refresh_floor: 1,
            org_id: Some(organization),
            ip: origin.ip.map(|ip| ip.to_string()),
            user_agent: origin.user_agent.as_deref().map(str::to_owned),
            created_at: now,
            last_used_at: now,
            expires_at,
            ..page
        };
        let event = Event::new("user-login").details([
            ("authMethod", row.auth_method.clone().into()),
            ("by", by.into()),
            ("sessionId", id.to_string().into()),
        ]);
        tx.audit(self.person_record(Some(organization), row.user_id, origin, &event));
        self.insert_session(tx, &mut row).await?;
        let tokens = self.session_tokens(&row, &grant)?;
        let answer = self.token_response(tokens.access, &tokens.refresh, Some(description))?;
        Ok(ProgramSession { id, answer })
    }

    /// Starts a session for a program that takes the access token alone, from a page that the
    /// person looks at, and answers that token.
    pub async fn hand_over(
        &self,
        signed_in: &SignedIn,
        organization: OrganizationId,
    ) -> Result<String> {
        let approval = self.approve(signed_in, organization).await?;
        let admission = self.admit_program(&approval).await?;
        let mut tx = self.store.begin().await?;
        let session = self.open_session(&mut tx, admission, BY_PAGE, &signed_in.origin).await?;
        tx.commit().await?;
        Ok(session.answer.access_token)
    }

    /// The tokens of a session as a program takes them.
    pub(crate) fn token_response(
        &self,
        access: String,
        refresh: &SecretString,
        session: Option<SessionDescription>,
    ) -> Result<TokenResponse> {
        let now = self.now().seconds();
        let claims = self.keys.tokens.verify::<UserAccessClaims>(&access, now)?;
        Ok(TokenResponse {
            access_token: access,
            token_type: BEARER.into(),
            expires_in: claims.exp - now,
            refresh_token: refresh.expose_secret().into(),
            session,
        })
    }

    /// An organization that is there and as the server wrote it.
    pub(crate) async fn genuine(&self, id: OrganizationId) -> Result<OrganizationRow> {
        let row = organizations::find(&self.store, id).await?.ok_or_else(|| not_found(id))?;
        self.require_genuine_organization(&row)?;
        Ok(row)
    }
}

fn name_of(row: OrganizationRow) -> OrganizationName {
    OrganizationName { id: row.id, name: row.name, slug: row.slug }
}
