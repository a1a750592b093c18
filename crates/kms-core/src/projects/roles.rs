//! The roles that a project offers, and what the caller's roles in it allow.

use kms_api::{
    IdentityId, ProjectId, Timestamp, UserId,
    permissions::Rule,
    roles::{
        CallerMembership, CallerPermissions, CallerPermissionsResponse, ProjectRole,
        ProjectRolesResponse, RoleName,
    },
};
use kms_store::memberships;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Actor, Caller, Core, Error, Result,
    access::{Action, Attributes, PROJECT_ROLES, Subject},
};

/// Name and purpose of each of [`PROJECT_ROLES`].
const ABOUT: [(&str, &str); 4] = [
    ("Admin", "Everything in the project"),
    ("Developer", "Secrets and other daily work, no administration"),
    ("Viewer", "Reading only"),
    ("No Access", "Nothing"),
];
/// The ids of the built-in roles count up from here: the same everywhere and made by nobody.
const FIRST_ID: u128 = 0x6b6d_7300_0000_4000_8000_0000_0000_0001;

impl Core {
    /// The roles that members of a project may have.
    pub async fn list_project_roles(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> Result<ProjectRolesResponse> {
        let access = self.project_access(caller, project).await?;
        access.require(Action::Read, Subject::Role, &Attributes::default())?;
        let made = Timestamp(access.project.created_at);
        let built_in = (FIRST_ID..).zip(PROJECT_ROLES).zip(ABOUT);
        let roles = built_in.map(|((id, slug), (name, description))| ProjectRole {
            id: Uuid::from_u128(id),
            name: name.into(),
            slug: slug.into(),
            description: Some(description.into()),
            project_id: project,
            created_at: made,
            updated_at: made,
        });
        Ok(ProjectRolesResponse { roles: roles.collect() })
    }

    /// What the caller may do in a project.
    pub async fn caller_permissions(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> Result<CallerPermissionsResponse> {
        let access = self.project_access(caller, project).await?;
        let (org, kind, principal) = (caller.organization, caller.actor.kind(), caller.actor.id());
        let rows = memberships::roles_of(&self.store, org, project, kind, principal).await?;
        let id = rows.first().map(|row| row.membership_id);
        let id = id.ok_or_else(|| Error::forbidden("You are no longer a member of the project"))?;
        let is_user = matches!(caller.actor, Actor::User(_));
        let roles = rows.into_iter().filter_map(|row| row.role);
        let membership = CallerMembership {
            id,
            project_id: project,
            user_id: is_user.then(|| UserId::from(principal)),
            identity_id: (!is_user).then(|| IdentityId::from(principal)),
            roles: roles.map(|role| RoleName { role }).collect(),
        };
        let data = CallerPermissions {
            permissions: access.rules.wire().map(pack).collect(),
            memberships: vec![membership.clone()],
            membership,
        };
        Ok(CallerPermissionsResponse { data })
    }
}

/// A rule in the packed form of the contract.
fn pack(rule: &Rule) -> Vec<Value> {
    let mut packed = vec![
        rule.action.as_slice().join(",").into(),
        rule.subject.clone().into(),
        rule.conditions.clone().map_or(0.into(), Value::Object),
        i64::from(rule.inverted).into(),
    ];
    while packed.last().is_some_and(|part| *part == 0) {
        packed.pop();
    }
    packed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_packed_without_zeros_at_the_end() {
        let packed = |rule: Value| pack(&serde_json::from_value(rule).unwrap());
        assert_eq!(
            packed(json!({"subject": "tags", "action": ["read", "edit"]})),
            [json!("read,edit"), json!("tags")]
        );
        assert_eq!(
            packed(json!({"subject": "secrets", "action": "read", "inverted": true})),
            [json!("read"), json!("secrets"), json!(0), json!(1)]
        );
        let conditions = json!({"environment": "prod"});
        assert_eq!(
            packed(json!({"subject": "secrets", "action": "read", "conditions": conditions})),
            [json!("read"), json!("secrets"), conditions]
        );
    }
}
