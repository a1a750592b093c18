//! People as members of organizations.

use kms_api::{
    MembershipId, OrganizationId, Timestamp, UserId,
    memberships::MemberUser,
    organizations::{
        OrganizationMembership, OrganizationMembershipResponse, OrganizationUser,
        OrganizationUsersResponse, UpdateOrganizationMembership,
    },
};
use kms_store::{
    Tx, organization_memberships,
    organizations::{self, OrganizationMembershipRow},
    users::{self, UserRow},
};
use uuid::Uuid;

use super::{not_found, own};
use crate::{
    Caller, Core, Error, Result,
    access::{
        ACCEPTED, Action, Attributes, Subject, is_acting_member, organization_membership_mac,
        organization_role,
    },
    audit::Event,
};

const USER: &str = "user";
const ADMIN: &str = "admin";

/// Somebody to make a member of an organization.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joining<'a> {
    /// The organization.
    pub(crate) organization: OrganizationId,
    /// `user` or `identity`, and which.
    pub(crate) principal: (&'a str, Uuid),
    /// The role, a built-in slug.
    pub(crate) role: &'a str,
    /// `accepted` or `invited`.
    pub(crate) status: &'a str,
}

impl Core {
    /// The people of the organization that the caller acts in.
    pub async fn list_organization_users(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Result<OrganizationUsersResponse> {
        own(caller, id)?;
        caller.rules.require(Action::Read, Subject::Member, &Attributes::default())?;
        let memberships = organizations::members(&self.store, id, USER).await?;
        let users = users::of_organization(&self.store, id).await?;
        let with_user = |row: OrganizationMembershipRow| {
            let user = users.iter().find(|user| user.id.uuid() == row.principal_id)?;
            Some(user_to_wire(row, user))
        };
        Ok(OrganizationUsersResponse {
            users: memberships.into_iter().filter_map(with_user).collect(),
        })
    }

    /// A person's membership in the organization that the caller acts in.
    pub async fn get_organization_membership(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: MembershipId,
    ) -> Result<OrganizationMembershipResponse> {
        own(caller, organization)?;
        caller.rules.require(Action::Read, Subject::Member, &Attributes::default())?;
        let row = organization_memberships::find(&self.store, organization, id, USER).await?;
        let row = row.ok_or_else(|| no_membership(id))?;
        let user = users::find(&self.store, UserId::from(row.principal_id)).await?;
        let user = user.ok_or_else(|| no_membership(id))?;
        Ok(OrganizationMembershipResponse { membership: membership_to_wire(row, &user) })
    }

    /// Changes a person's role, or whether the person may act.
    pub async fn update_organization_membership(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: MembershipId,
        body: &UpdateOrganizationMembership,
    ) -> Result<OrganizationMembershipResponse> {
        own(caller, organization)?;
        caller.rules.require(Action::Edit, Subject::Member, &Attributes::default())?;
        let mut tx = self.store.begin().await?;
        let (mut row, user) = self.member_to_change(&mut tx, caller, id).await?;
        if let Some(role) = &body.role {
            caller.rules.require_covers(&*organization_role(role)?)?;
            row.role.clone_from(role);
        }
        if body.is_active == Some(true) {
            self.require_active_above(&mut tx, &row).await?;
        }
        row.is_active = body.is_active.unwrap_or(row.is_active);
        self.write_membership(&mut tx, &mut row).await?;
        if !row.is_active {
            // Whoever is suspended in the root is suspended everywhere below it (attack T6).
            let (org, who) = (row.org_id, row.principal_id);
            for mut row in organization_memberships::in_tree(&mut tx, org, who, USER).await? {
                organization_membership_mac(&self.keys.rows, &row).verify(&row.mac)?;
                row.is_active = false;
                self.write_membership(&mut tx, &mut row).await?;
            }
        }
        self.require_an_administrator(&mut tx, organization).await?;
        self.touches_rights(&mut tx);
        let membership = membership_to_wire(row, &user);
        tx.audit(self.record(caller, &event("update-org-membership", &membership)));
        tx.commit().await?;
        Ok(OrganizationMembershipResponse { membership })
    }

    /// Ends a person's membership in the organization that the caller acts in, in its projects,
    /// and in everything below it. People may end their own.
    pub async fn remove_organization_membership(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: MembershipId,
    ) -> Result<OrganizationMembershipResponse> {
        own(caller, organization)?;
        let mut tx = self.store.begin().await?;
        let mine =
            organizations::membership(&mut tx, organization, caller.actor.id(), USER).await?;
        if mine.is_none_or(|mine| mine.id != id) {
            caller.rules.require(Action::Delete, Subject::Member, &Attributes::default())?;
        }
        let (row, user) = self.member_to_change(&mut tx, caller, id).await?;
        let (org, who) = (row.org_id, row.principal_id);
        for row in organization_memberships::in_tree(&mut tx, org, who, USER).await? {
            organization_memberships::delete(&mut tx, &row).await?;
        }
        self.require_an_administrator(&mut tx, organization).await?;
        self.touches_rights(&mut tx);
        let membership = membership_to_wire(row, &user);
        tx.audit(self.record(caller, &event("delete-org-membership", &membership)));
        tx.commit().await?;
        Ok(OrganizationMembershipResponse { membership })
    }

    /// Writes role and state of a membership, authenticated.
    pub(crate) async fn write_membership(
        &self,
        tx: &mut Tx,
        row: &mut OrganizationMembershipRow,
    ) -> Result<()> {
        row.updated_at = self.now().micros();
        row.mac = organization_membership_mac(&self.keys.rows, row).finish().to_vec();
        if organization_memberships::update(tx, row).await? {
            return Ok(());
        }
        Err(no_membership(row.id))
    }

    /// The membership to change, once no other write changes who is a member and the caller is
    /// known to hold all that it gives (attack T4).
    async fn member_to_change(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: MembershipId,
    ) -> Result<(OrganizationMembershipRow, UserRow)> {
        let organization = caller.organization;
        if !organizations::lock(tx, organization).await? {
            return Err(not_found(organization));
        }
        let row = organization_memberships::find(&mut *tx, organization, id, USER).await?;
        let row = row.ok_or_else(|| no_membership(id))?;
        organization_membership_mac(&self.keys.rows, &row).verify(&row.mac)?;
        caller.rules.require_covers(&*organization_role(&row.role)?)?;
        let user = users::find(&mut *tx, UserId::from(row.principal_id)).await?;
        Ok((row, user.ok_or_else(|| no_membership(id))?))
    }

    /// Refuses to leave an organization without a person who administers it.
    pub(crate) async fn require_an_administrator(
        &self,
        tx: &mut Tx,
        org: OrganizationId,
    ) -> Result<()> {
        for row in organizations::members(&mut *tx, org, USER).await? {
            if row.role == ADMIN && is_acting_member(&self.keys.rows, org, &row)? {
                return Ok(());
            }
        }
        Err(Error::bad_request("An organization needs an active administrator"))
    }

    /// Refuses to let somebody act in a sub-organization who may not act in its root.
    pub(crate) async fn require_active_above(
        &self,
        tx: &mut Tx,
        row: &OrganizationMembershipRow,
    ) -> Result<()> {
        let organization = organizations::find(&mut *tx, row.org_id).await?;
        let Some(root) = organization.and_then(|organization| organization.root_id) else {
            return Ok(());
        };
        let kind = row.principal_kind.as_str();
        let above = organizations::membership(&mut *tx, root, row.principal_id, kind).await?;
        let acts =
            above.map(|above| is_acting_member(&self.keys.rows, root, &above)).transpose()?;
        if acts == Some(true) {
            return Ok(());
        }
        Err(Error::bad_request("The member is not active in the root organization"))
    }
}

/// Nobody learns the name behind an address by inviting it (attack H1).
fn member_user(row: &OrganizationMembershipRow, user: &UserRow) -> MemberUser {
    let joined = row.status == ACCEPTED;
    MemberUser {
        id: user.id,
        email: Some(user.email.clone()),
        username: user.username.clone(),
        first_name: user.first_name.clone().filter(|_| joined),
        last_name: user.last_name.clone().filter(|_| joined),
        public_key: None,
    }
}

fn user_to_wire(row: OrganizationMembershipRow, user: &UserRow) -> OrganizationUser {
    OrganizationUser {
        id: row.id,
        user: member_user(&row, user),
        role: row.role,
        invite_email: (row.status != ACCEPTED).then(|| user.email.clone()),
        status: row.status,
        org_id: row.org_id,
        role_id: None,
        is_active: row.is_active,
    }
}

fn membership_to_wire(row: OrganizationMembershipRow, user: &UserRow) -> OrganizationMembership {
    OrganizationMembership {
        id: row.id,
        user: member_user(&row, user),
        role: row.role,
        invite_email: (row.status != ACCEPTED).then(|| user.email.clone()),
        status: row.status,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        user_id: user.id,
        org_id: row.org_id,
        role_id: None,
        is_active: row.is_active,
    }
}

fn no_membership(id: MembershipId) -> Error {
    Error::not_found(format!("Organization membership with ID '{id}' not found"))
}

fn event(kind: &'static str, membership: &OrganizationMembership) -> Event {
    Event::new(kind).details([
        ("membershipId", membership.id.to_string().into()),
        ("userId", membership.user_id.to_string().into()),
        ("role", membership.role.clone().into()),
        ("status", membership.status.clone().into()),
        ("isActive", membership.is_active.into()),
    ])
}
