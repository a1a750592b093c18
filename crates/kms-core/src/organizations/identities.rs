//! Machine identities of a root organization as members of its sub-organizations.

use kms_api::{
    IdentityId, OrganizationId,
    identities::{
        OrganizationIdentity, OrganizationIdentityBody, OrganizationIdentityMembershipResponse,
    },
};
use kms_store::{
    StoreError, Tx,
    identities::{self, IdentityRow},
    organization_memberships,
    organizations::{self, OrganizationMembershipRow},
};

use super::{Joining, not_found};
use crate::{
    Caller, Core, Error, Result,
    access::{
        ACCEPTED, Action, Attributes, Subject, identity_mac, organization_membership_mac,
        organization_role,
    },
    audit::Event,
    identities::{member_to_wire, unknown_identity},
};

const IDENTITY: &str = "identity";
/// What an identity is in an organization unless somebody says otherwise.
const DEFAULT_ROLE: &str = "no-access";

impl Core {
    /// Makes an identity of the root a member of the sub-organization that the caller acts in.
    pub async fn add_organization_identity(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &OrganizationIdentityBody,
    ) -> Result<OrganizationIdentityMembershipResponse> {
        may(caller, Action::Create, id)?;
        let role = body.role.as_deref().unwrap_or(DEFAULT_ROLE);
        let mut tx = self.store.begin().await?;
        self.guest(&mut tx, caller, id).await?;
        caller.rules.require_covers(&*organization_role(role)?)?;
        let joining = Joining {
            organization: caller.organization,
            principal: (IDENTITY, id.uuid()),
            role,
            status: ACCEPTED,
        };
        match self.insert_membership(&mut tx, &joining).await {
            Err(StoreError::Duplicate) => {
                return Err(Error::bad_request(format!(
                    "Identity with id {id} is a member already"
                )));
            }
            other => other?,
        };
        self.finish_guest(tx, caller, id, "add-identity-to-sub-organization").await
    }

    /// Changes the role of an identity of the root in the sub-organization that the caller acts in.
    pub async fn update_organization_identity(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &OrganizationIdentityBody,
    ) -> Result<OrganizationIdentityMembershipResponse> {
        may(caller, Action::Edit, id)?;
        let mut tx = self.store.begin().await?;
        let mut row = self.guest_membership(&mut tx, caller, id).await?;
        if let Some(role) = &body.role {
            caller.rules.require_covers(&*organization_role(role)?)?;
            row.role.clone_from(role);
        }
        self.write_membership(&mut tx, &mut row).await?;
        self.finish_guest(tx, caller, id, "update-identity-in-sub-organization").await
    }

    /// Ends the membership of an identity of the root in the sub-organization that the caller acts
    /// in, and in its projects.
    pub async fn remove_organization_identity(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<OrganizationIdentityMembershipResponse> {
        may(caller, Action::Delete, id)?;
        let mut tx = self.store.begin().await?;
        let row = self.guest_membership(&mut tx, caller, id).await?;
        let identity_membership = self.guest_to_wire(&mut tx, caller.organization, id).await?;
        organization_memberships::delete(&mut tx, &row).await?;
        self.touches_rights(&mut tx);
        let event = event("remove-identity-from-sub-organization", &identity_membership);
        tx.audit(self.record(caller, &event));
        tx.commit().await?;
        Ok(OrganizationIdentityMembershipResponse { identity_membership })
    }

    /// The membership of an identity in the organization that the caller acts in.
    pub async fn get_organization_identity(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<OrganizationIdentityMembershipResponse> {
        let identity_membership = self.get_identity(caller, id).await?.identity;
        Ok(OrganizationIdentityMembershipResponse { identity_membership })
    }

    async fn finish_guest(
        &self,
        mut tx: Tx,
        caller: &Caller,
        id: IdentityId,
        kind: &'static str,
    ) -> Result<OrganizationIdentityMembershipResponse> {
        let identity_membership = self.guest_to_wire(&mut tx, caller.organization, id).await?;
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event(kind, &identity_membership)));
        tx.commit().await?;
        Ok(OrganizationIdentityMembershipResponse { identity_membership })
    }

    async fn guest_to_wire(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        id: IdentityId,
    ) -> Result<OrganizationIdentity> {
        let rows = identities::member(tx, organization, id).await?;
        member_to_wire(&rows).ok_or_else(|| unknown_identity(id))
    }

    /// An identity that lives in the root above the organization of the token; every other one
    /// answers as one that is not there (attack T1).
    async fn guest(&self, tx: &mut Tx, caller: &Caller, id: IdentityId) -> Result<IdentityRow> {
        let organization = organizations::find(&mut *tx, caller.organization).await?;
        let organization = organization.ok_or_else(|| not_found(caller.organization))?;
        let Some(root) = organization.root_id else { return Err(unknown_identity(id)) };
        let row = identities::find(&mut *tx, root, id).await?;
        let row = row.ok_or_else(|| unknown_identity(id))?;
        identity_mac(&self.keys.rows, &row).verify(&row.mac)?;
        Ok(row)
    }

    /// The membership of such an identity, once the caller is known to hold all that it gives.
    async fn guest_membership(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<OrganizationMembershipRow> {
        self.guest(tx, caller, id).await?;
        let org = caller.organization;
        let row = organizations::membership(&mut *tx, org, id.uuid(), IDENTITY).await?;
        let row = row.ok_or_else(|| unknown_identity(id))?;
        organization_membership_mac(&self.keys.rows, &row).verify(&row.mac)?;
        caller.rules.require_covers(&*organization_role(&row.role)?)?;
        Ok(row)
    }
}

fn may(caller: &Caller, action: Action, id: IdentityId) -> Result<()> {
    let id = id.to_string();
    let about = Attributes { identity_id: Some(&id), ..Attributes::default() };
    caller.rules.require(action, Subject::Identity, &about)
}

fn event(kind: &'static str, membership: &OrganizationIdentity) -> Event {
    Event::new(kind).details([
        ("identityId", membership.identity_id.to_string().into()),
        ("membershipId", membership.id.to_string().into()),
        ("role", membership.role.clone().into()),
    ])
}
