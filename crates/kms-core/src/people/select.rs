//! Choosing where a session acts.

use kms_api::{
    OrganizationId,
    auth::user::{SelectOrganization, SelectedOrganization},
};
use kms_crypto::UserRefreshClaims;
use kms_store::{
    Tx,
    audit::NewAuditRecord,
    callers,
    organizations::{self, OrganizationRow},
    user_sessions::SessionRow,
    users,
};

use super::{
    Chosen, Grant, Opened,
    factors::{MAIL, owed},
    session::{Tokens, set_refresh_tokens_aside},
};
use crate::{
    Core, Error, Result, SignedIn,
    access::user_mac,
    audit::Event,
    organizations::{not_found, session_seconds},
};

/// What choosing an organization leads to.
pub enum Selection {
    /// Tokens that act there.
    Opened(Opened<SelectedOrganization>),
    /// A token that is good for giving a second factor.
    Owes(SelectedOrganization),
}

/// An organization that a person wants to act in from a page.
#[derive(Clone, Debug)]
pub struct PagePlace {
    pub(crate) chosen: Chosen,
    /// What is asked for before they may: `totp`, `email` or `webauthn`; none where nothing is.
    pub owed: Option<&'static str>,
    /// The name of the organization at the root.
    pub root_name: String,
}

impl Core {
    /// An organization or sub-organization as somebody may act in it, and what they still owe there.
    pub async fn page_place(&self, signed_in: &SignedIn, id: OrganizationId) -> Result<PagePlace> {
        let (chosen, root) = self.choose(signed_in, id).await?;
        let owed = self.factor_owed(signed_in, &root).await?;
        Ok(PagePlace { chosen, owed, root_name: root.name })
    }

    /// Chooses the organization or sub-organization that a person acts in.
    ///
    /// A session that acts nowhere yet acts there from now on. One that acts somewhere else stays
    /// as it is, and the answer is a session of its own: another profile may live on the first.
    /// Only where the request brings the session's cookie along, which the answer replaces, it
    /// moves.
    pub async fn select_organization(
        &self,
        signed_in: &SignedIn,
        body: &SelectOrganization,
        refresh: Option<&str>,
    ) -> Result<Selection> {
        let (chosen, root) = self.choose(signed_in, body.organization_id).await?;
        if let Some(method) = self.factor_owed(signed_in, &root).await? {
            return self.ask_for_factor(signed_in, chosen, method).await.map(Selection::Owes);
        }
        let grant = Grant { chosen: Some(chosen), factor: signed_in.factor.clone() };
        let limit = root.user_token_expiration.as_deref().and_then(session_seconds);
        let mut tx = self.store.begin().await?;
        let tokens = self.move_session(&mut tx, signed_in, &grant, limit, refresh).await?;
        tx.audit(self.selected_record(signed_in, chosen, &Event::new("select-organization")));
        tx.commit().await?;
        let answer =
            SelectedOrganization { token: tokens.access, is_mfa_enabled: false, mfa_method: None };
        Ok(Selection::Opened(Opened { answer, refresh: tokens.refresh }))
    }

    /// The second factor that somebody owes below a root organization.
    async fn factor_owed(
        &self,
        signed_in: &SignedIn,
        root: &OrganizationRow,
    ) -> Result<Option<&'static str>> {
        let user = users::find(&self.store, signed_in.user.id).await?;
        let user = user.ok_or_else(|| Error::not_found("User not found"))?;
        user_mac(&self.keys.rows, &user).verify(&user.mac)?;
        let held = self.held(user.id).await?;
        Ok(owed(&user, root, held, signed_in.provider.is_some(), signed_in.factor.as_deref()))
    }

    async fn ask_for_factor(
        &self,
        signed_in: &SignedIn,
        chosen: Chosen,
        method: &'static str,
    ) -> Result<SelectedOrganization> {
        if method == MAIL {
            let user = users::find(&self.store, signed_in.user.id).await?;
            let user = user.ok_or_else(|| Error::not_found("User not found"))?;
            self.mail_code(&user, &signed_in.origin, false).await?;
        }
        let event = Event::new("mfa-asked").details([("mfaMethod", method.into())]);
        self.log_now(self.selected_record(signed_in, chosen, &event)).await?;
        Ok(SelectedOrganization {
            token: self.pending_token(signed_in, chosen.root, method)?,
            is_mfa_enabled: true,
            mfa_method: Some(method.into()),
        })
    }

    fn selected_record(
        &self,
        signed_in: &SignedIn,
        chosen: Chosen,
        event: &Event,
    ) -> NewAuditRecord {
        let there = SignedIn { organization: Some(chosen.organization()), ..signed_in.clone() };
        self.signed_in_record(&there, event)
    }

    /// The organization of an id, with the root above it, where the person may act in both by the
    /// way they came in. Others' organizations answer as if they were none (attack T1).
    async fn choose(
        &self,
        signed_in: &SignedIn,
        id: OrganizationId,
    ) -> Result<(Chosen, OrganizationRow)> {
        let row: OrganizationRow =
            organizations::find(&self.store, id).await?.ok_or_else(|| not_found(id))?;
        self.require_genuine_organization(&row)?;
        let chosen = match row.root_id {
            Some(root) => Chosen { root, sub: Some(id) },
            None => Chosen { root: id, sub: None },
        };
        let user = signed_in.user.id.uuid();
        for organization in [Some(chosen.root), chosen.sub].into_iter().flatten() {
            let found = organizations::membership(&self.store, organization, user, "user").await?;
            let membership = found.ok_or_else(|| not_found(id))?;
            self.user_role(Some(&membership), organization)?;
        }
        let mut root = row;
        if chosen.sub.is_some() {
            let found = organizations::find(&self.store, chosen.root).await?;
            root = found.ok_or_else(|| not_found(id))?;
            self.require_genuine_organization(&root)?;
        }
        self.require_way_in(&root, signed_in.user.id, signed_in.provider).await?;
        Ok((chosen, root))
    }

    /// Makes a session act somewhere, or starts another that does; see
    /// [`Core::select_organization`].
    async fn move_session(
        &self,
        tx: &mut Tx,
        signed_in: &SignedIn,
        grant: &Grant,
        limit: Option<i64>,
        refresh: Option<&str>,
    ) -> Result<Tokens> {
        let (user, session) = (signed_in.user.id, signed_in.user.session);
        let row = callers::user(&mut *tx, user, session, None).await?;
        let row = row.ok_or_else(|| Error::not_found("User not found"))?;
        let former = self.live_session(&row)?.clone();
        let organization = grant.chosen.map(Chosen::organization);
        let now = self.now().micros();
        let stays = former.org_id.is_none() || former.org_id == organization;
        let mut next = SessionRow {
            org_id: organization,
            last_used_at: now,
            expires_at: self.session_end(former.login_at, limit),
            ..former.clone()
        };
        if next.expires_at <= now {
            return Err(Error::forbidden(
                "This organization ends logins sooner than that; log in again",
            ));
        }
        if stays || self.is_of_session(refresh, &former) {
            set_refresh_tokens_aside(&mut next);
            if !self.update_session(tx, &mut next, &former).await? {
                return Err(Error::RateLimited { retry_after: 1 });
            }
            return self.session_tokens(&next, grant);
        }
        let origin = &signed_in.origin;
        let mut another = SessionRow {
            id: self.new_id(),
            access_version: 1,
            refresh_version: 1,
            refresh_used: None,
            refresh_floor: 1,
            ip: origin.ip.map(|ip| ip.to_string()),
            user_agent: origin.user_agent.as_deref().map(str::to_owned),
            created_at: now,
            ..next
        };
        self.insert_session(tx, &mut another).await?;
        self.session_tokens(&another, grant)
    }

    fn is_of_session(&self, refresh: Option<&str>, row: &SessionRow) -> bool {
        let now = self.now().seconds();
        let claims =
            refresh.and_then(|token| self.keys.tokens.verify::<UserRefreshClaims>(token, now).ok());
        claims.is_some_and(|claims| claims.token_version_id == row.id.uuid())
    }
}
