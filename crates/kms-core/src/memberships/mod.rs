//! Memberships in projects: who takes part, in which roles.

mod identities;
mod roles;
mod standing;
#[cfg(test)]
mod tests;
mod users;

use kms_api::{
    MembershipId, MembershipRoleId, OrganizationId, ProjectId, RoleId, Timestamp,
    memberships::{MembershipRole, ProjectName},
};
use kms_store::{
    Tx,
    memberships::{self, Grant, NewMembership, RoleRow},
    projects::ProjectRow,
};
use uuid::Uuid;

pub(crate) use roles::{NewRole, too_much};

use crate::{
    Core, Result,
    access::{RoleGrant, membership_mac},
};

/// Somebody to make a member of a project.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewMember {
    /// The organization.
    pub(crate) organization: OrganizationId,
    /// The project.
    pub(crate) project: ProjectId,
    /// `user` or `identity`.
    pub(crate) kind: &'static str,
    /// The user or identity.
    pub(crate) principal: Uuid,
}

impl Core {
    /// Adds a membership with its roles, authenticated; `StoreError::Duplicate` when there is one.
    pub(crate) async fn insert_member(
        &self,
        tx: &mut Tx,
        member: &NewMember,
        roles: &[NewRole],
    ) -> Result<MembershipId, kms_store::StoreError> {
        let id: MembershipId = self.new_id();
        let NewMember { organization, project, kind, principal } = *member;
        let mac =
            membership_mac(&self.keys.rows, id.uuid(), organization, project, kind, principal);
        let row = NewMembership {
            id,
            org_id: organization,
            project_id: project,
            principal_kind: kind,
            principal_id: principal,
            mac: mac.finish(),
        };
        memberships::insert(tx, &row, self.now().micros()).await?;
        self.insert_roles(tx, organization, id, roles).await?;
        Ok(id)
    }

    /// Adds roles to a membership, authenticated.
    pub(crate) async fn insert_roles(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        membership: MembershipId,
        roles: &[NewRole],
    ) -> Result<(), kms_store::StoreError> {
        for (position, role) in (0..).zip(roles) {
            let id: Uuid = self.new_id();
            let custom_role_id = role.custom.as_ref().map(|custom| custom.id);
            let until = role.temporary.as_ref();
            let (starts_at, ends_at) =
                (until.map(|until| until.starts_at), until.map(|until| until.ends_at));
            let mac = RoleGrant {
                id,
                organization: organization.uuid(),
                membership: membership.uuid(),
                role: &role.slug,
                custom_role: custom_role_id.map(RoleId::uuid),
                position,
                is_temporary: until.is_some(),
                starts_at,
                ends_at,
            };
            let grant = Grant {
                id,
                role: role.slug.clone(),
                is_temporary: until.is_some(),
                temporary_range: until.map(|until| until.range.clone()),
                starts_at,
                ends_at,
                mac: mac.mac(&self.keys.rows).finish().to_vec(),
                position,
                custom_role_id,
                custom: None,
            };
            memberships::insert_role(tx, organization, membership, &grant, self.now().micros())
                .await?;
        }
        Ok(())
    }
}

/// The roles of one membership among rows of several.
pub(crate) fn roles_to_wire(rows: &[RoleRow], membership: MembershipId) -> Vec<MembershipRole> {
    let of = rows.iter().filter(|row| row.membership_id == membership);
    of.filter_map(RoleRow::grant).map(role_to_wire).collect()
}

fn role_to_wire(grant: Grant) -> MembershipRole {
    MembershipRole {
        id: MembershipRoleId::from(grant.id),
        role: grant.role,
        custom_role_id: grant.custom_role_id.map(RoleId::uuid),
        custom_role_name: grant.custom.as_ref().map(|custom| custom.name.clone()),
        custom_role_slug: grant.custom.map(|custom| custom.slug),
        is_temporary: grant.is_temporary,
        temporary_mode: grant.is_temporary.then(|| roles::RELATIVE.into()),
        temporary_range: grant.temporary_range,
        temporary_access_start_time: grant.starts_at.map(Timestamp),
        temporary_access_end_time: grant.ends_at.map(Timestamp),
    }
}

/// The slugs of roles, for the audit log.
fn slugs(roles: &[MembershipRole]) -> Vec<&str> {
    roles.iter().map(|role| role.custom_role_slug.as_deref().unwrap_or(&role.role)).collect()
}

fn project_name(row: &ProjectRow) -> ProjectName {
    ProjectName { id: row.id, name: row.name.clone() }
}
