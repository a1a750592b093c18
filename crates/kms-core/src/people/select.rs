//! Choosing where a session acts.

use kms_api::{
    OrganizationId,
    auth::user::{SelectOrganization, SelectedOrganization},
};
use kms_crypto::UserRefreshClaims;
use kms_store::{
    Tx, callers,
    organizations::{self, OrganizationRow},
    user_sessions::SessionRow,
};

use super::{Chosen, Grant, Opened, session::Tokens};
use crate::{Core, Error, Result, SignedIn, audit::Event, organizations::not_found};

impl Core {
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
    ) -> Result<Opened<SelectedOrganization>> {
        let chosen = self.choose(signed_in, body.organization_id).await?;
        let grant = Grant { chosen: Some(chosen), factor: signed_in.factor.clone() };
        let mut tx = self.store.begin().await?;
        let tokens = self.move_session(&mut tx, signed_in, &grant, refresh).await?;
        let event = Event::new("select-organization");
        let mut actor = signed_in.clone();
        actor.organization = Some(chosen.organization());
        tx.audit(self.signed_in_record(&actor, &event));
        tx.commit().await?;
        let answer =
            SelectedOrganization { token: tokens.access, is_mfa_enabled: false, mfa_method: None };
        Ok(Opened { answer, refresh: tokens.refresh })
    }

    /// The organization of an id, with the root above it, where the person may act in both.
    /// Others' organizations answer as if they were none (attack T1).
    async fn choose(&self, signed_in: &SignedIn, id: OrganizationId) -> Result<Chosen> {
        let row: OrganizationRow =
            organizations::find(&self.store, id).await?.ok_or_else(|| not_found(id))?;
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
        Ok(chosen)
    }

    /// Makes a session act somewhere, or starts another that does; see
    /// [`Core::select_organization`].
    async fn move_session(
        &self,
        tx: &mut Tx,
        signed_in: &SignedIn,
        grant: &Grant,
        refresh: Option<&str>,
    ) -> Result<Tokens> {
        let (user, session) = (signed_in.user.id, signed_in.user.session);
        let row = callers::user(&mut *tx, user, session, None).await?;
        let row = row.ok_or_else(|| Error::not_found("User not found"))?;
        let former = self.live_session(&row)?.clone();
        let organization = grant.chosen.map(Chosen::organization);
        let now = self.now().micros();
        let stays = former.org_id.is_none() || former.org_id == organization;
        let mut next = SessionRow { org_id: organization, last_used_at: now, ..former.clone() };
        if stays || self.is_of_session(refresh, &former) {
            next.refresh_version += 1;
            next.refresh_used = None;
            if !self.update_session(tx, &mut next, &former).await? {
                return Err(Error::RateLimited { retry_after: 1 });
            }
            return self.session_tokens(&next, grant);
        }
        let origin = &signed_in.origin;
        let another = SessionRow {
            id: self.new_id(),
            access_version: 1,
            refresh_version: 1,
            refresh_used: None,
            ip: origin.ip.map(|ip| ip.to_string()),
            user_agent: origin.user_agent.as_deref().map(str::to_owned),
            created_at: now,
            ..next
        };
        self.insert_session(tx, another, grant).await
    }

    fn is_of_session(&self, refresh: Option<&str>, row: &SessionRow) -> bool {
        let now = self.now().seconds();
        let claims =
            refresh.and_then(|token| self.keys.tokens.verify::<UserRefreshClaims>(token, now).ok());
        claims.is_some_and(|claims| claims.token_version_id == row.id.uuid())
    }
}
