//! People as members of projects.

use kms_api::{
    ProjectId, Timestamp,
    memberships::{MemberUser, UserMembership},
};
use kms_store::{memberships, project_members};

use super::{project_name, roles_to_wire};
use crate::{
    Caller, Core, Result,
    access::{Action, Attributes, Subject},
};

impl Core {
    /// The users that are members of a project.
    pub async fn list_user_memberships(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> Result<Vec<UserMembership>> {
        let access = self.project_access(caller, project).await?;
        access.require(Action::Read, Subject::Member, &Attributes::default())?;
        let org = caller.organization;
        let rows = project_members::users(&self.store, org, project).await?;
        let roles = memberships::roles_in_project(&self.store, org, project, "user").await?;
        let to_wire = |row: project_members::UserMemberRow| UserMembership {
            id: row.id,
            user_id: row.user_id,
            project_id: project,
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
            roles: roles_to_wire(&roles, row.id),
        };
        Ok(rows.into_iter().map(to_wire).collect())
    }
}
