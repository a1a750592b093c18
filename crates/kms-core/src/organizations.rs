//! Organizations and their members.

use kms_api::{
    MembershipId, OrganizationId, Timestamp,
    memberships::MemberUser,
    organizations::{
        EnvironmentName, Organization, OrganizationResponse, OrganizationUser,
        OrganizationUsersResponse, OrganizationWorkspace, OrganizationWorkspacesResponse,
        OrganizationWritten, OrganizationsResponse, UpdateOrganization,
    },
    projects::ListProjectsQuery,
};
use kms_store::{
    StoreError, Tx,
    organizations::{self, OrganizationMembershipRow, OrganizationRow},
    users::{self, UserRow},
};
use uuid::Uuid;

use crate::{
    Caller, Core, Error, Result,
    access::{
        ACCEPTED, Action, Attributes, Subject, is_acting_member, organization_membership_mac,
    },
    audit::Event,
    text,
};

/// The longest name and slug, in characters.
const MAX_NAME: usize = 64;
/// What a new member is unless somebody says otherwise.
const DEFAULT_ROLE: &str = "member";

impl Core {
    /// The organizations that the caller may act in.
    pub async fn list_organizations(&self, caller: &Caller) -> Result<OrganizationsResponse> {
        self.organizations_of(caller.actor.id(), caller.actor.kind()).await
    }

    /// The organizations that a principal may act in.
    pub(crate) async fn organizations_of(
        &self,
        principal: Uuid,
        kind: &str,
    ) -> Result<OrganizationsResponse> {
        let memberships = organizations::memberships_of(&self.store, principal, kind).await?;
        let rows = organizations::of_principal(&self.store, principal, kind).await?;
        let mut answer = Vec::new();
        for row in rows {
            let membership = memberships.iter().find(|membership| membership.org_id == row.id);
            let Some(membership) = membership else { continue };
            if is_acting_member(&self.keys.rows, row.id, membership)? {
                let user_role = Some(membership.role.clone());
                answer.push(Organization { user_role, ..to_wire(row) });
            }
        }
        Ok(OrganizationsResponse { organizations: answer })
    }

    /// The organization that the caller acts in.
    pub async fn get_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Result<OrganizationResponse> {
        own(caller, id)?;
        let row = organizations::find(&self.store, id).await?.ok_or_else(|| not_found(id))?;
        Ok(OrganizationResponse { organization: to_wire(row) })
    }

    /// Changes name and slug of the organization that the caller acts in.
    pub async fn update_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
        body: &UpdateOrganization,
    ) -> Result<OrganizationWritten> {
        own(caller, id)?;
        caller.rules.require(Action::Edit, Subject::Settings, &Attributes::default())?;
        let mut tx = self.store.begin().await?;
        let mut row = organizations::find(&mut tx, id).await?.ok_or_else(|| not_found(id))?;
        if let Some(name) = &body.name {
            row.name = organization_name("name", name)?;
        }
        if let Some(slug) = &body.slug {
            row.slug = text::slug("slug", slug, 1, MAX_NAME)?;
        }
        row.updated_at = self.now().micros();
        match organizations::update(&mut tx, &row).await {
            Err(StoreError::Duplicate) => {
                return Err(Error::bad_request("Organization with slug already exist"));
            }
            other => other?,
        };
        self.touches_rights(&mut tx);
        let event = Event::new("update-org")
            .details([("name", row.name.clone().into()), ("slug", row.slug.clone().into())]);
        tx.audit(self.record(caller, &event));
        tx.commit().await?;
        let message = "Successfully changed organization name".into();
        Ok(OrganizationWritten { message, organization: to_wire(row) })
    }

    /// The people of the organization that the caller acts in.
    pub async fn list_organization_users(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Result<OrganizationUsersResponse> {
        own(caller, id)?;
        caller.rules.require(Action::Read, Subject::Member, &Attributes::default())?;
        let memberships = organizations::members(&self.store, id, "user").await?;
        let users = users::of_organization(&self.store, id).await?;
        let with_user = |row: OrganizationMembershipRow| {
            let user = users.iter().find(|user| user.id.uuid() == row.principal_id)?;
            Some(user_to_wire(row, user))
        };
        Ok(OrganizationUsersResponse {
            users: memberships.into_iter().filter_map(with_user).collect(),
        })
    }

    /// The projects of the organization that the caller is a member of.
    pub async fn list_organization_workspaces(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Result<OrganizationWorkspacesResponse> {
        own(caller, id)?;
        let projects = self.list_projects(caller, &ListProjectsQuery::default()).await?.projects;
        let workspaces = projects.into_iter().map(|project| OrganizationWorkspace {
            id: project.id,
            name: project.name,
            slug: project.slug,
            organization: project.org_id,
            environments: project
                .environments
                .into_iter()
                .map(|row| EnvironmentName { name: row.name, slug: row.slug })
                .collect(),
        });
        Ok(OrganizationWorkspacesResponse { workspaces: workspaces.collect() })
    }

    /// Adds a root organization with a key of its own.
    pub(crate) async fn insert_organization(
        &self,
        tx: &mut Tx,
        name: &str,
    ) -> Result<OrganizationRow> {
        let id = self.new_id();
        let key = self.keys.new_organization_key(id, self.entropy())?;
        let now = self.now().micros();
        let row = OrganizationRow {
            id,
            parent_id: None,
            root_id: None,
            tree_id: Uuid::nil(),
            name: name.to_owned(),
            slug: organization_slug(name, &self.slug_tail()),
            wrapped_key: key.as_bytes().to_vec(),
            created_at: now,
            updated_at: now,
        };
        organizations::insert(tx, &row).await?;
        Ok(row)
    }

    /// Makes a principal an active member of an organization, authenticated.
    pub(crate) async fn insert_organization_member(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        (kind, principal): (&str, Uuid),
        role: &str,
    ) -> Result<MembershipId, StoreError> {
        let now = self.now().micros();
        let mut row = OrganizationMembershipRow {
            id: self.new_id(),
            org_id: organization,
            principal_kind: kind.to_owned(),
            principal_id: principal,
            role: role.to_owned(),
            status: ACCEPTED.to_owned(),
            is_active: true,
            last_login_method: None,
            last_login_at: None,
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
        };
        row.mac = organization_membership_mac(&self.keys.rows, &row).finish().to_vec();
        organizations::insert_membership(tx, &row).await?;
        Ok(row.id)
    }
}

/// Only the organization of the token is there; every other answers as one that is not (T1).
fn own(caller: &Caller, id: OrganizationId) -> Result<()> {
    if caller.organization == id { Ok(()) } else { Err(not_found(id)) }
}

pub(crate) fn not_found(id: OrganizationId) -> Error {
    Error::not_found(format!("Organization with ID '{id}' not found"))
}

/// A name of letters, digits, hyphens, underscores and spaces (wire contract, conventions).
pub(crate) fn organization_name(field: &str, name: &str) -> Result<String> {
    let allowed = |character: char| character.is_alphanumeric() || "-_ ".contains(character);
    let name = text::name(field, name, MAX_NAME)?;
    if !name.chars().all(allowed) {
        return Err(Error::field(
            field,
            "must be letters, digits, hyphens, underscores and spaces",
        ));
    }
    Ok(name)
}

fn organization_slug(name: &str, tail: &str) -> String {
    let has_letters = name.chars().any(|character| character.is_ascii_alphanumeric());
    text::slug_from(if has_letters { name } else { "organization" }, tail)
}

pub(crate) fn to_wire(row: OrganizationRow) -> Organization {
    Organization {
        id: row.id,
        name: row.name,
        slug: row.slug,
        customer_id: None,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        auth_enforced: false,
        scim_enabled: false,
        kms_default_key_id: None,
        default_membership_role: DEFAULT_ROLE.into(),
        enforce_mfa: false,
        root_org_id: row.root_id,
        parent_org_id: row.parent_id,
        user_role: None,
    }
}

fn user_to_wire(row: OrganizationMembershipRow, user: &UserRow) -> OrganizationUser {
    OrganizationUser {
        id: row.id,
        role: row.role,
        invite_email: (row.status != ACCEPTED).then(|| user.email.clone()),
        status: row.status,
        org_id: row.org_id,
        role_id: None,
        is_active: row.is_active,
        user: MemberUser {
            id: user.id,
            email: Some(user.email.clone()),
            username: user.username.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            public_key: None,
        },
    }
}

#[cfg(test)]
mod tests;
