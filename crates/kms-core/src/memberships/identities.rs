//! Machine identities as members of projects.

use kms_api::{
    IdentityId, MembershipId, ProjectId, Timestamp,
    identities::Identity,
    memberships::{
        IdentityMembership, IdentityMembershipBody, IdentityMembershipResponse,
        IdentityMembershipsResponse, ListMembershipsQuery,
    },
};
use kms_store::{
    StoreError, Tx,
    memberships::{self, RoleRow},
    organizations,
    project_members::{self, AttachedMethodRow, IdentityFilter, IdentityMemberRow},
    projects,
};

use super::{NewMember, project_name, roles, roles_to_wire, slugs, standing::Standing};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, ProjectAccess, Subject},
    audit::Event,
    text,
};

const IDENTITY: &str = "identity";
/// Rows on one page, at most and when nothing is said.
const MAX_PAGE: i64 = 1_000;
const PAGE: i64 = 20;

impl Core {
    /// Makes an identity of the organization a member of a project.
    pub async fn add_identity_membership(
        &self,
        caller: &Caller,
        project: ProjectId,
        identity: IdentityId,
        body: &IdentityMembershipBody,
    ) -> Result<IdentityMembershipResponse> {
        let access = self.identity_access(caller, project, identity, Action::Create).await?;
        let new = self.roles_to_give(&access, &roles::to_add(body)).await?;
        let org = caller.organization;
        let mut tx = self.store.begin().await?;
        projects::lock(&mut tx, org, project).await?;
        self.require_given_as_read(&mut tx, &new).await?;
        let known = organizations::membership(&mut tx, org, identity.uuid(), IDENTITY).await?;
        if known.is_none() {
            return Err(unknown_identity(identity));
        }
        let member =
            NewMember { organization: org, project, kind: IDENTITY, principal: identity.uuid() };
        match self.insert_member(&mut tx, &member, &new).await {
            Err(StoreError::Duplicate) => return Err(already_member(project, identity)),
            Err(StoreError::Orphan) => return Err(unknown_identity(identity)),
            other => other?,
        };
        let membership = read(&mut tx, &access, identity).await?.ok_or_else(not_member)?;
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("add-identity-to-project", &membership)));
        tx.commit().await?;
        Ok(IdentityMembershipResponse { identity_membership: membership })
    }

    /// Replaces the roles of an identity in a project.
    pub async fn update_identity_membership(
        &self,
        caller: &Caller,
        project: ProjectId,
        identity: IdentityId,
        body: &IdentityMembershipBody,
    ) -> Result<IdentityMembershipResponse> {
        let access = self.identity_access(caller, project, identity, Action::Edit).await?;
        let new = self.roles_to_give(&access, &roles::to_replace(body)?).await?;
        let standing =
            self.membership_to_change(&access, (IDENTITY, identity.uuid()), &new).await?;
        let org = caller.organization;
        let mut tx = self.store.begin().await?;
        let id = self.lock_member(&mut tx, &access, &standing).await?;
        self.require_given_as_read(&mut tx, &new).await?;
        memberships::clear_roles(&mut tx, org, id).await?;
        roles::given(self.insert_roles(&mut tx, org, id, &new).await)?;
        let membership = read(&mut tx, &access, identity).await?.ok_or_else(not_member)?;
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("update-identity-project-membership", &membership)));
        tx.commit().await?;
        Ok(IdentityMembershipResponse { identity_membership: membership })
    }

    /// Ends the membership of an identity in a project.
    pub async fn remove_identity_membership(
        &self,
        caller: &Caller,
        project: ProjectId,
        identity: IdentityId,
    ) -> Result<IdentityMembershipResponse> {
        let access = self.identity_access(caller, project, identity, Action::Delete).await?;
        let standing = self.membership_to_change(&access, (IDENTITY, identity.uuid()), &[]).await?;
        let mut tx = self.store.begin().await?;
        let id = self.lock_member(&mut tx, &access, &standing).await?;
        let membership = read(&mut tx, &access, identity).await?.ok_or_else(not_member)?;
        memberships::delete(&mut tx, caller.organization, id).await?;
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("remove-identity-from-project", &membership)));
        tx.commit().await?;
        Ok(IdentityMembershipResponse { identity_membership: membership })
    }

    /// The membership of an identity in a project.
    pub async fn get_identity_membership(
        &self,
        caller: &Caller,
        project: ProjectId,
        identity: IdentityId,
    ) -> Result<IdentityMembershipResponse> {
        let access = self.identity_access(caller, project, identity, Action::Read).await?;
        // One write transaction would do, but three reads that see a change half-way only show
        // roles that were given a moment ago.
        let org = caller.organization;
        let row = project_members::identity(&self.store, org, project, identity.uuid()).await?;
        let row = row.ok_or_else(not_member)?;
        let roles =
            memberships::roles_of(&self.store, org, project, IDENTITY, identity.uuid()).await?;
        let methods = project_members::methods(&self.store, org, project, Some(identity)).await?;
        let identity_membership = to_wire(row, &access, &roles, &methods);
        Ok(IdentityMembershipResponse { identity_membership })
    }

    /// One page of the identities that are members of a project.
    pub async fn list_identity_memberships(
        &self,
        caller: &Caller,
        project: ProjectId,
        query: &ListMembershipsQuery,
    ) -> Result<IdentityMembershipsResponse> {
        let access = self.project_access(caller, project).await?;
        access.rules.require_some(Action::Read, Subject::Identity)?;
        let filter = IdentityFilter {
            name: query.identity_name.clone().filter(|name| !name.is_empty()),
            offset: text::number("offset", query.offset.as_deref(), 0, 0, i64::MAX)?,
            limit: text::number("limit", query.limit.as_deref(), PAGE, 1, MAX_PAGE)?,
        };
        let org = caller.organization;
        let store = &self.store;
        let rows = project_members::identities(store, org, project, &filter).await?;
        let total_count = project_members::count_identities(store, org, project, &filter).await?;
        let roles = memberships::roles_in_project(store, org, project, IDENTITY).await?;
        let methods = project_members::methods(store, org, project, None).await?;
        let readable = |row: &IdentityMemberRow| {
            let id = row.identity_id.to_string();
            access.rules.allows(Action::Read, Subject::Identity, &about(&id))
        };
        let rows = rows.into_iter().filter(readable);
        let identity_memberships =
            rows.map(|row| to_wire(row, &access, &roles, &methods)).collect();
        Ok(IdentityMembershipsResponse { identity_memberships, total_count })
    }

    async fn identity_access(
        &self,
        caller: &Caller,
        project: ProjectId,
        identity: IdentityId,
        action: Action,
    ) -> Result<ProjectAccess> {
        let access = self.project_access(caller, project).await?;
        access.require(action, Subject::Identity, &about(&identity.to_string()))?;
        Ok(access)
    }

    /// The membership to change or end, once no other write changes it and it is still what the
    /// caller was found to hold.
    async fn lock_member(
        &self,
        tx: &mut Tx,
        access: &ProjectAccess,
        standing: &Standing,
    ) -> Result<MembershipId> {
        let org = access.project.org_id;
        let id = standing.membership().ok_or_else(not_member)?;
        projects::lock(tx, org, access.id()).await?;
        if !memberships::touch(tx, org, id, self.now().micros()).await? {
            return Err(not_member());
        }
        self.require_standing(tx, access, standing).await?;
        Ok(id)
    }
}

fn about(identity: &str) -> Attributes<'_> {
    Attributes { identity_id: Some(identity), ..Attributes::default() }
}

/// A membership as it is inside a write.
async fn read(
    tx: &mut Tx,
    access: &ProjectAccess,
    identity: IdentityId,
) -> Result<Option<IdentityMembership>> {
    let (org, project) = (access.project.org_id, access.id());
    let found = project_members::identity(&mut *tx, org, project, identity.uuid()).await?;
    let Some(row) = found else { return Ok(None) };
    let roles = memberships::roles_of(&mut *tx, org, project, IDENTITY, identity.uuid()).await?;
    let methods = project_members::methods(&mut *tx, org, project, Some(identity)).await?;
    Ok(Some(to_wire(row, access, &roles, &methods)))
}

fn to_wire(
    row: IdentityMemberRow,
    access: &ProjectAccess,
    roles: &[RoleRow],
    methods: &[AttachedMethodRow],
) -> IdentityMembership {
    let of_identity = methods.iter().filter(|method| method.identity_id == row.identity_id);
    let auth_methods: Vec<String> = of_identity.map(|method| method.method.clone()).collect();
    IdentityMembership {
        id: row.id,
        project_id: access.id(),
        identity_id: row.identity_id,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        roles: roles_to_wire(roles, row.id),
        last_login_auth_method: row.last_login_method,
        last_login_time: row.last_login_at.map(Timestamp),
        identity: Some(Identity {
            id: row.identity_id,
            name: row.name,
            has_delete_protection: row.has_delete_protection,
            org_id: Some(row.identity_org_id),
            auth_method: auth_methods.first().cloned(),
            auth_methods,
            created_at: None,
            updated_at: None,
            metadata: None,
        }),
        project: Some(project_name(&access.project)),
    }
}

fn event(kind: &'static str, membership: &IdentityMembership) -> Event {
    let roles = slugs(&membership.roles);
    Event::new(kind).project(membership.project_id).details([
        ("identityId", membership.identity_id.to_string().into()),
        ("membershipId", membership.id.to_string().into()),
        ("roles", roles.into()),
    ])
}

/// One text for an identity that does not exist and one of another organization (attack T1).
fn unknown_identity(id: IdentityId) -> Error {
    Error::not_found(format!("Failed to find identity with id {id}"))
}

fn not_member() -> Error {
    Error::not_found("The identity is not a member of the project")
}

fn already_member(project: ProjectId, id: IdentityId) -> Error {
    let message = format!("Identity with id {id} already exists in project with id {project}");
    Error::bad_request(message)
}
