//! People as members of projects.

use kms_api::{
    MembershipId, ProjectId, Timestamp,
    memberships::{
        AddMembers, FindMember, MemberUser, RemoveMembers, RoleInput, RolesResponse, UpdateMember,
        UserMembership, UserMembershipResponse,
    },
};
use kms_store::{
    StoreError, Tx,
    memberships::{self, RoleRow},
    project_members::{self, UserMemberRow},
    projects, users,
};

use super::{NewMember, NewRole, project_name, roles, roles_to_wire, slugs, standing::Standing};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, ProjectAccess, Subject},
    audit::Event,
    passwords::canonical_email,
};

const USER: &str = "user";
const IDENTITY: &str = "identity";
const ADMIN: &str = "admin";
/// What somebody is in a project unless the one who adds them says otherwise.
const DEFAULT_ROLE: &str = "member";
/// People in one request, at most.
const MAX_PEOPLE: usize = 100;

impl Core {
    /// The people that are members of a project.
    pub async fn list_user_memberships(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> Result<Vec<UserMembership>> {
        let access = self.user_access(caller, project, Action::Read).await?;
        let org = caller.organization;
        let rows = project_members::users(&self.store, org, project).await?;
        let roles = memberships::roles_in_project(&self.store, org, project, USER).await?;
        Ok(rows.into_iter().map(|row| to_wire(row, &access, &roles)).collect())
    }

    /// The membership of the person with a name to log in with.
    pub async fn find_user_membership(
        &self,
        caller: &Caller,
        project: ProjectId,
        body: &FindMember,
    ) -> Result<UserMembershipResponse> {
        let access = self.user_access(caller, project, Action::Read).await?;
        let name = canonical_email("username", &body.username)?;
        let org = caller.organization;
        let row = project_members::user_by_name(&self.store, org, project, &name).await?;
        let row = row.ok_or_else(not_member)?;
        let roles = memberships::roles_in_project(&self.store, org, project, USER).await?;
        Ok(UserMembershipResponse { membership: to_wire(row, &access, &roles) })
    }

    /// Makes people of the organization members of a project, invited ones too: they take part
    /// once they have accepted.
    pub async fn add_user_memberships(
        &self,
        caller: &Caller,
        project: ProjectId,
        body: &AddMembers,
    ) -> Result<Vec<UserMembership>> {
        let access = self.user_access(caller, project, Action::Create).await?;
        let of_slug = |slug: &String| RoleInput { role: slug.clone(), ..RoleInput::default() };
        let default = [DEFAULT_ROLE.to_owned()];
        let slugs = body.role_slugs.as_deref().unwrap_or(&default);
        let given: Vec<_> = slugs.iter().map(of_slug).collect();
        let new = self.roles_to_give(&access, &given).await?;
        let names = names(&body.emails, &body.usernames)?;
        let org = caller.organization;
        let mut tx = self.store.begin().await?;
        projects::lock(&mut tx, org, project).await?;
        self.require_given_as_read(&mut tx, &new).await?;
        let people = users::of_organization(&mut tx, org).await?;
        for name in &names {
            let person = people.iter().find(|person| person.username == *name);
            let person = person.ok_or_else(|| {
                Error::not_found(format!("{name} is not a member of the organization"))
            })?;
            self.add_user(&mut tx, &access, &new, person.id).await?;
        }
        self.touches_rights(&mut tx);
        let added = self.named(&mut tx, &access, &names).await?;
        for membership in &added {
            tx.audit(self.record(caller, &event("add-user-to-project", membership)));
        }
        tx.commit().await?;
        Ok(added)
    }

    /// Ends the memberships of people in a project.
    pub async fn remove_user_memberships(
        &self,
        caller: &Caller,
        project: ProjectId,
        body: &RemoveMembers,
    ) -> Result<Vec<UserMembership>> {
        let access = self.user_access(caller, project, Action::Delete).await?;
        let names = names(&body.emails, &body.usernames)?;
        let mut standings = Vec::new();
        for row in project_members::users(&self.store, caller.organization, project).await? {
            if names.contains(&row.username) {
                let person = (USER, row.user_id.uuid());
                standings.push(self.membership_to_change(&access, person, &[]).await?);
            }
        }
        let mut tx = self.store.begin().await?;
        projects::lock(&mut tx, caller.organization, project).await?;
        let gone = self.named(&mut tx, &access, &names).await?;
        if gone.len() != names.len() || standings.len() != names.len() {
            return Err(not_member());
        }
        for standing in &standings {
            self.require_standing(&mut tx, &access, standing).await?;
        }
        for membership in &gone {
            self.end_user_membership(&mut tx, &access, membership.id).await?;
            tx.audit(self.record(caller, &event("remove-user-from-project", membership)));
        }
        tx.commit().await?;
        Ok(gone)
    }

    /// Replaces the roles of a person in a project.
    pub async fn update_user_membership(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: MembershipId,
        body: &UpdateMember,
    ) -> Result<RolesResponse> {
        let access = self.user_access(caller, project, Action::Edit).await?;
        let new = self.roles_to_give(&access, &body.roles).await?;
        if new.iter().all(|role| role.temporary.is_some()) {
            return Err(Error::field("roles", "one at least must not end by itself"));
        }
        let standing = self.user_to_change(&access, id, &new).await?;
        let org = caller.organization;
        let mut tx = self.store.begin().await?;
        projects::lock(&mut tx, org, project).await?;
        self.require_standing(&mut tx, &access, &standing).await?;
        self.require_given_as_read(&mut tx, &new).await?;
        memberships::touch(&mut tx, org, id, self.now().micros()).await?;
        memberships::clear_roles(&mut tx, org, id).await?;
        roles::given(self.insert_roles(&mut tx, org, id, &new).await)?;
        self.require_a_project_administrator(&mut tx, &access).await?;
        let membership = self.one(&mut tx, &access, id).await?;
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("update-user-project-membership", &membership)));
        tx.commit().await?;
        Ok(RolesResponse { roles: membership.roles })
    }

    /// Ends a person's membership in a project.
    pub async fn remove_user_membership(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: MembershipId,
    ) -> Result<UserMembershipResponse> {
        let access = self.user_access(caller, project, Action::Delete).await?;
        let standing = self.user_to_change(&access, id, &[]).await?;
        let mut tx = self.store.begin().await?;
        projects::lock(&mut tx, caller.organization, project).await?;
        self.require_standing(&mut tx, &access, &standing).await?;
        let membership = self.end_user_membership(&mut tx, &access, id).await?;
        tx.audit(self.record(caller, &event("remove-user-from-project", &membership)));
        tx.commit().await?;
        Ok(UserMembershipResponse { membership })
    }

    /// Ends the caller's own membership in a project; nobody needs a right for that, or anything
    /// that the membership withholds.
    pub async fn leave_project(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> Result<UserMembershipResponse> {
        let access = self.project_access(caller, project).await?;
        let (org, principal) = (caller.organization, caller.actor.id());
        let mut tx = self.store.begin().await?;
        projects::lock(&mut tx, org, project).await?;
        let rows = memberships::roles_of(&mut tx, org, project, USER, principal).await?;
        let id = rows.first().ok_or_else(not_member)?.membership_id;
        let membership = self.end_user_membership(&mut tx, &access, id).await?;
        tx.audit(self.record(caller, &event("leave-project", &membership)));
        tx.commit().await?;
        Ok(UserMembershipResponse { membership })
    }

    async fn user_access(
        &self,
        caller: &Caller,
        project: ProjectId,
        action: Action,
    ) -> Result<ProjectAccess> {
        let access = self.project_access(caller, project).await?;
        access.require(action, Subject::Member, &Attributes::default())?;
        Ok(access)
    }

    async fn add_user(
        &self,
        tx: &mut Tx,
        access: &ProjectAccess,
        new: &[NewRole],
        person: kms_api::UserId,
    ) -> Result<()> {
        let member = NewMember {
            organization: access.project.org_id,
            project: access.id(),
            kind: USER,
            principal: person.uuid(),
        };
        match self.insert_member(tx, &member, new).await {
            Err(StoreError::Duplicate) => {
                Err(Error::bad_request("User is already a member of the project"))
            }
            other => Ok(other.map(drop)?),
        }
    }

    /// The memberships of people by their names, as they are inside a write.
    async fn named(
        &self,
        tx: &mut Tx,
        access: &ProjectAccess,
        names: &[String],
    ) -> Result<Vec<UserMembership>> {
        let (org, project) = (access.project.org_id, access.id());
        let rows = project_members::users(&mut *tx, org, project).await?;
        let roles = memberships::roles_in_project(&mut *tx, org, project, USER).await?;
        let found = rows.into_iter().filter(|row| names.contains(&row.username));
        Ok(found.map(|row| to_wire(row, access, &roles)).collect())
    }

    async fn one(
        &self,
        tx: &mut Tx,
        access: &ProjectAccess,
        id: MembershipId,
    ) -> Result<UserMembership> {
        let (org, project) = (access.project.org_id, access.id());
        let row = project_members::user(&mut *tx, org, project, id).await?;
        let row = row.ok_or_else(not_member)?;
        let roles = memberships::roles_in_project(&mut *tx, org, project, USER).await?;
        Ok(to_wire(row, access, &roles))
    }

    /// A membership, once the caller is known to hold all that it gives, or withholds and the
    /// `next` roles do not (attack T4).
    async fn user_to_change(
        &self,
        access: &ProjectAccess,
        id: MembershipId,
        next: &[NewRole],
    ) -> Result<Standing> {
        let (org, project) = (access.project.org_id, access.id());
        let row = project_members::user(&self.store, org, project, id).await?;
        let person = row.ok_or_else(not_member)?.user_id.uuid();
        self.membership_to_change(access, (USER, person), next).await
    }

    async fn end_user_membership(
        &self,
        tx: &mut Tx,
        access: &ProjectAccess,
        id: MembershipId,
    ) -> Result<UserMembership> {
        let membership = self.one(&mut *tx, access, id).await?;
        memberships::delete(tx, access.project.org_id, id).await?;
        self.require_a_project_administrator(tx, access).await?;
        self.touches_rights(tx);
        Ok(membership)
    }

    /// Refuses to leave a project that nobody administers: no right in the organization leads in.
    async fn require_a_project_administrator(
        &self,
        tx: &mut Tx,
        access: &ProjectAccess,
    ) -> Result<()> {
        let (org, project) = (access.project.org_id, access.id());
        for kind in [USER, IDENTITY] {
            let rows = memberships::roles_in_project(&mut *tx, org, project, kind).await?;
            let administers = |row: &RoleRow| {
                row.grant().is_some_and(|grant| grant.role == ADMIN && !grant.is_temporary)
            };
            if rows.iter().any(administers) {
                return Ok(());
            }
        }
        Err(Error::bad_request("A project needs an administrator"))
    }
}

/// Names to log in with, each once; addresses are such names.
fn names(emails: &[String], usernames: &[String]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (field, texts) in [("emails", emails), ("usernames", usernames)] {
        for text in texts {
            let name = canonical_email(field, text)?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if names.is_empty() || names.len() > MAX_PEOPLE {
        return Err(Error::field("emails", format!("must name 1 to {MAX_PEOPLE} people")));
    }
    Ok(names)
}

fn to_wire(row: UserMemberRow, access: &ProjectAccess, roles: &[RoleRow]) -> UserMembership {
    UserMembership {
        id: row.id,
        user_id: row.user_id,
        project_id: access.id(),
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        user: MemberUser {
            id: row.user_id,
            email: Some(row.email),
            username: row.username,
            first_name: row.first_name,
            last_name: row.last_name,
            public_key: None,
        },
        project: project_name(&access.project),
        roles: roles_to_wire(roles, row.id),
    }
}

fn not_member() -> Error {
    Error::not_found("The user is not a member of the project")
}

fn event(kind: &'static str, membership: &UserMembership) -> Event {
    let roles = slugs(&membership.roles);
    Event::new(kind).project(membership.project_id).details([
        ("userId", membership.user_id.to_string().into()),
        ("membershipId", membership.id.to_string().into()),
        ("roles", roles.into()),
    ])
}
