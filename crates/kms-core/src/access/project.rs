//! What a caller may do in one project.

use std::sync::Arc;

use kms_api::{OrganizationId, ProjectId};
use kms_crypto::{Key, RowKey};
use kms_store::{
    memberships::{Grant, RoleRow},
    projects::{self, ProjectRow},
};
use uuid::Uuid;

use super::{Action, Attributes, RuleSet, Subject};
use crate::{Actor, Caller, Core, Error, Result, ServiceActor};

/// A project that the caller is a member of, and the rules of the membership.
#[derive(Clone)]
pub struct ProjectAccess {
    /// The project.
    pub project: Arc<ProjectRow>,
    /// The rules of the caller's roles in it.
    pub rules: Arc<RuleSet>,
    /// What the project's values are sealed under.
    pub(crate) key: Arc<Key>,
    /// What rows of secrets are authenticated with.
    pub(crate) rows: Arc<RowKey>,
}

/// A role of a membership with the fields that its MAC covers.
#[derive(Clone, Copy, Debug)]
pub struct RoleGrant<'a> {
    /// The role's row.
    pub id: Uuid,
    /// The organization.
    pub organization: Uuid,
    /// The membership.
    pub membership: Uuid,
    /// The role's slug, or `custom`.
    pub role: &'a str,
    /// The role of the project that it is, if it is not a built-in one.
    pub custom_role: Option<Uuid>,
    /// Where its rules stand among those of the membership's other roles.
    pub position: i64,
    /// Whether it ends by itself.
    pub is_temporary: bool,
    /// From when, in microseconds.
    pub starts_at: Option<i64>,
    /// Until when, in microseconds.
    pub ends_at: Option<i64>,
}

impl RoleGrant<'_> {
    /// The row's authentication. What came later is covered where it differs from what every role
    /// was given then, so that rows of before keep theirs.
    pub(crate) fn mac(&self, key: &RowKey) -> kms_crypto::RowMac {
        let mac = key
            .mac("project_membership_roles")
            .uuid(self.id)
            .uuid(self.organization)
            .uuid(self.membership)
            .text(self.role)
            .flag(self.is_temporary)
            .int(self.starts_at.unwrap_or_default())
            .int(self.ends_at.unwrap_or_default());
        if self.custom_role.is_none() && self.position == 0 {
            return mac;
        }
        mac.opt_uuid(self.custom_role).int(self.position)
    }
}

/// The authentication of a project membership's row.
pub(crate) fn membership_mac(
    key: &RowKey,
    id: Uuid,
    organization: OrganizationId,
    project: ProjectId,
    kind: &str,
    principal: Uuid,
) -> kms_crypto::RowMac {
    key.mac("project_memberships")
        .uuid(id)
        .uuid(organization.uuid())
        .uuid(project.uuid())
        .text(kind)
        .uuid(principal)
}

impl ProjectAccess {
    /// The project's id.
    pub fn id(&self) -> ProjectId {
        self.project.id
    }

    /// Refuses unless the rules allow it here.
    pub fn require(
        &self,
        action: Action,
        subject: Subject,
        attributes: &Attributes<'_>,
    ) -> Result<()> {
        self.rules.require(action, subject, attributes)
    }
}

impl Core {
    /// What the caller may do in a project of the caller's organization.
    ///
    /// A project that does not exist and one of another organization answer alike.
    pub async fn project_access(&self, caller: &Caller, id: ProjectId) -> Result<ProjectAccess> {
        let epoch = self.rights_epoch(caller).await?;
        let place = (caller.actor.id(), id, caller.organization, caller.facts.print);
        if let Some((seen, until, access)) = self.access_memory.get(&place)
            && seen == epoch
            && self.now().micros() < until
        {
            return Ok(access);
        }
        let (until, access) = self.load_project_access(caller, id).await?;
        self.access_memory.insert(place, (epoch, until, access.clone()));
        Ok(access)
    }

    async fn load_project_access(
        &self,
        caller: &Caller,
        id: ProjectId,
    ) -> Result<(i64, ProjectAccess)> {
        if let Actor::Service(service) = &caller.actor {
            return self.load_service_access(caller, service, id).await;
        }
        let not_found = || Error::not_found(format!("Project with ID '{id}' not found"));
        let (kind, principal) = (caller.actor.kind(), caller.actor.id());
        let found =
            projects::find_for(&self.store, caller.organization, id, kind, principal).await?;
        let mut project = None;
        let mut rows = Vec::new();
        for row in found {
            rows.extend(row.role.0);
            project = Some(row.project);
        }
        let project = project.ok_or_else(not_found)?;
        let first = rows.first().ok_or_else(|| {
            let message = format!("You are not a member of the project with ID '{id}'");
            Error::Forbidden { name: "ForbiddenError".into(), message: message.into() }
        })?;
        membership_mac(
            &self.keys.rows,
            first.membership_id.uuid(),
            caller.organization,
            id,
            kind,
            principal,
        )
        .verify(&first.membership_mac)?;
        let (until, held) = self.rules_of(&rows)?;
        let rules = RuleSet::of_roles(held, &caller.facts);
        Ok((until, self.project_with(project, rules)?))
    }

    /// What a service token may do: nothing outside of its project. Every other project answers
    /// alike, whether it exists or not (attack T1).
    async fn load_service_access(
        &self,
        caller: &Caller,
        service: &ServiceActor,
        id: ProjectId,
    ) -> Result<(i64, ProjectAccess)> {
        let not_found = || Error::not_found(format!("Project with ID '{id}' not found"));
        if id != service.project {
            return Err(not_found());
        }
        let project = projects::find(&self.store, caller.organization, id).await?;
        let project = project.ok_or_else(not_found)?;
        Ok((i64::MAX, self.project_with(project, Arc::clone(&service.rules))?))
    }

    fn project_with(&self, project: ProjectRow, rules: Arc<RuleSet>) -> Result<ProjectAccess> {
        let key = self.keys.project(
            project.org_id,
            &project.org_wrapped_key,
            project.id,
            &project.wrapped_key,
        )?;
        let rows = Arc::clone(&self.keys.rows);
        Ok(ProjectAccess { project: Arc::new(project), rules, key, rows })
    }

    /// Refuses to go on when a project membership of the caller was not written by the server.
    pub(crate) async fn verify_memberships(&self, caller: &Caller) -> Result<()> {
        let (org, kind, principal) = (caller.organization, caller.actor.kind(), caller.actor.id());
        let rows = kms_store::memberships::of_principal(&self.store, org, kind, principal).await?;
        for row in rows {
            let (id, project) = (row.id.uuid(), row.project_id);
            membership_mac(&self.keys.rows, id, org, project, kind, principal).verify(&row.mac)?;
        }
        Ok(())
    }

    /// The rules of all roles of a membership, in force or not: what somebody who changes the
    /// membership must hold.
    pub(crate) fn rules_ever_of(&self, rows: &[RoleRow]) -> Result<Vec<Arc<RuleSet>>> {
        let mut sets = Vec::new();
        for row in rows {
            if let Some(role) = self.genuine_grant(row)? {
                sets.push(self.rules_of_role(&role.role, role.custom.as_ref())?);
            }
        }
        Ok(sets)
    }

    /// The role in a row, if there is one; fails when the server did not write it.
    fn genuine_grant(&self, row: &RoleRow) -> Result<Option<Grant>> {
        let Some(role) = row.grant() else { return Ok(None) };
        let grant = RoleGrant {
            id: role.id,
            organization: row.org_id.uuid(),
            membership: row.membership_id.uuid(),
            role: &role.role,
            custom_role: role.custom_role_id.map(kms_api::RoleId::uuid),
            position: role.position,
            is_temporary: role.is_temporary,
            starts_at: role.starts_at,
            ends_at: role.ends_at,
        };
        grant.mac(&self.keys.rows).verify(&role.mac)?;
        Ok(Some(role))
    }

    /// The rules of roles that are in force, and until when that answer holds.
    fn rules_of(&self, rows: &[RoleRow]) -> Result<(i64, Vec<Arc<RuleSet>>)> {
        let now = self.now().micros();
        let mut until = i64::MAX;
        let mut sets = Vec::new();
        for row in rows {
            let Some(role) = self.genuine_grant(row)? else { continue };
            let (from, to) = (role.starts_at.unwrap_or(i64::MIN), role.ends_at.unwrap_or(i64::MAX));
            if !role.is_temporary || (from <= now && now < to) {
                sets.push(self.rules_of_role(&role.role, role.custom.as_ref())?);
            }
            if role.is_temporary {
                until = until.min([from, to].into_iter().find(|at| *at > now).unwrap_or(i64::MAX));
            }
        }
        Ok((until, sets))
    }
}
