//! The roles that a project offers, built in or its own, and what the caller's roles in it allow.

use std::collections::HashMap;

use kms_api::{
    IdentityId, ProjectId, RoleId, Timestamp, UserId,
    permissions::Rule,
    roles::{
        CallerMembership, CallerPermissions, CallerPermissionsResponse, CreateRole, ProjectRole,
        ProjectRolesResponse, RoleName, RoleResponse, UpdateRole,
    },
};
use kms_store::{
    StoreError, Tx, memberships as store_memberships, projects,
    roles::{self, CustomRoleRow},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Actor, Caller, Core, Error, Result,
    access::{
        Action, Attributes, PROJECT_ROLES, ProjectAccess, RuleSet, Subject, Weight, check,
        custom_role_mac, is_reserved, project_role,
    },
    audit::Event,
    memberships, text,
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
/// The longest slug and name, in characters.
const MAX_NAME: usize = 64;
/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 256;
/// Roles of its own that a project has, at most.
const MAX_ROLES: usize = 100;

impl Core {
    /// The roles that members of a project may have.
    pub async fn list_project_roles(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> Result<ProjectRolesResponse> {
        let access = self.roles_access(caller, project, Action::Read).await?;
        let own = roles::list(&self.store, caller.organization, project).await?;
        let built_in = (0..PROJECT_ROLES.len()).map(|place| built_in(&access, place));
        let own = own.into_iter().map(|row| to_wire(row, None));
        Ok(ProjectRolesResponse { roles: built_in.chain(own).collect() })
    }

    /// One role of a project by its slug, with its rules.
    pub async fn get_project_role(
        &self,
        caller: &Caller,
        project: ProjectId,
        slug: &str,
    ) -> Result<RoleResponse> {
        let access = self.roles_access(caller, project, Action::Read).await?;
        if let Some(place) = PROJECT_ROLES.iter().position(|known| *known == slug) {
            let rules = project_role(slug)?.wire().cloned().collect();
            let role = ProjectRole { permissions: Some(rules), ..built_in(&access, place) };
            return Ok(RoleResponse { role });
        }
        let found = roles::find_by_slug(&self.store, caller.organization, project, slug).await?;
        self.answer_role(found.ok_or_else(not_found)?)
    }

    /// One role that a project made, by its id alone. One in a project that the caller is not in
    /// answers like one that does not exist.
    pub async fn get_role(&self, caller: &Caller, id: RoleId) -> Result<RoleResponse> {
        let found = roles::find(&self.store, caller.organization, id).await?;
        let row = found.ok_or_else(not_found)?;
        let access = self.project_behind(caller, row.project_id, NOT_FOUND).await?;
        access.require(Action::Read, Subject::Role, &Attributes::default())?;
        self.answer_role(row)
    }

    /// Makes a role that allows no more than its maker may (attack T4).
    pub async fn create_project_role(
        &self,
        caller: &Caller,
        project: ProjectId,
        body: &CreateRole,
    ) -> Result<RoleResponse> {
        let access = self.roles_access(caller, project, Action::Create).await?;
        let now = self.now().micros();
        let mut row = CustomRoleRow {
            id: self.new_id(),
            org_id: caller.organization,
            project_id: project,
            slug: new_slug(&body.slug)?,
            name: new_name(&body.name)?,
            description: new_description(body.description.as_deref())?,
            permissions: checked_rules(&access, &body.permissions)?.0,
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
        };
        row.mac = custom_role_mac(&self.keys.rows, &row).finish().to_vec();
        let mut tx = self.store.begin().await?;
        projects::lock(&mut tx, caller.organization, project).await?;
        let own = roles::list(&mut tx, caller.organization, project).await?;
        if own.len() >= MAX_ROLES {
            let message = format!("A project has at most {MAX_ROLES} roles of its own");
            return Err(Error::bad_request(message));
        }
        match roles::insert(&mut tx, &row).await {
            Err(StoreError::Duplicate) => return Err(slug_taken()),
            other => other?,
        }
        tx.audit(self.record(caller, &event("create-project-role", &row)));
        tx.commit().await?;
        self.answer_role(row)
    }

    /// Changes what is given of a role. What it allowed, what it is to allow, and what it forbade and
    /// no longer does must all be the caller's to give (attack T4).
    pub async fn update_project_role(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: RoleId,
        body: &UpdateRole,
    ) -> Result<RoleResponse> {
        let access = self.roles_access(caller, project, Action::Edit).await?;
        let (seen, held) = self.role_to_change(&access, id).await?;
        let permissions = match &body.permissions {
            Some(sent) => Some(self.next_rules(&access, &seen, &held, sent).await?),
            None => None,
        };
        let (mut tx, mut row) = self.role_as_seen(&seen).await?;
        if let Some(slug) = &body.slug {
            row.slug = new_slug(slug)?;
        }
        if let Some(name) = &body.name {
            row.name = new_name(name)?;
        }
        if body.description.is_some() {
            row.description = new_description(body.description.as_deref())?;
        }
        row.permissions = permissions.unwrap_or(row.permissions);
        row.updated_at = self.now().micros();
        row.mac = custom_role_mac(&self.keys.rows, &row).finish().to_vec();
        match roles::update(&mut tx, &row).await {
            Err(StoreError::Duplicate) => return Err(slug_taken()),
            other => other?,
        };
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("update-project-role", &row)));
        tx.commit().await?;
        self.answer_role(row)
    }

    /// Deletes a role that no member has, and what it forbids with it.
    pub async fn delete_project_role(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: RoleId,
    ) -> Result<RoleResponse> {
        let access = self.roles_access(caller, project, Action::Delete).await?;
        let (seen, held) = self.role_to_change(&access, id).await?;
        access.rules.require_covers(&held.lifted_by(&RuleSet::default()))?;
        let (mut tx, row) = self.role_as_seen(&seen).await?;
        match roles::delete(&mut tx, caller.organization, id).await {
            Err(StoreError::Orphan) => return Err(in_use()),
            other => other?,
        };
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("delete-project-role", &row)));
        tx.commit().await?;
        self.answer_role(row)
    }

    /// What the caller may do in a project.
    pub async fn caller_permissions(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> Result<CallerPermissionsResponse> {
        let access = self.project_access(caller, project).await?;
        let (org, kind, principal) = (caller.organization, caller.actor.kind(), caller.actor.id());
        let rows = store_memberships::roles_of(&self.store, org, project, kind, principal).await?;
        let id = rows.first().map(|row| row.membership_id);
        let id = id.ok_or_else(|| Error::forbidden("You are no longer a member of the project"))?;
        let is_user = matches!(caller.actor, Actor::User(_));
        let roles = rows.iter().filter_map(store_memberships::RoleRow::grant);
        let membership = CallerMembership {
            id,
            project_id: project,
            user_id: is_user.then(|| UserId::from(principal)),
            identity_id: (!is_user).then(|| IdentityId::from(principal)),
            roles: roles.map(|grant| RoleName { role: grant.slug().to_owned() }).collect(),
        };
        let data = CallerPermissions {
            permissions: access.rules.wire().map(pack).collect(),
            memberships: vec![membership.clone()],
            membership,
        };
        Ok(CallerPermissionsResponse { data })
    }

    async fn roles_access(
        &self,
        caller: &Caller,
        project: ProjectId,
        action: Action,
    ) -> Result<ProjectAccess> {
        let access = self.project_access(caller, project).await?;
        access.require(action, Subject::Role, &Attributes::default())?;
        Ok(access)
    }

    /// A role of the project, genuine, that allows no more than the caller may.
    async fn role_to_change(
        &self,
        access: &ProjectAccess,
        id: RoleId,
    ) -> Result<(CustomRoleRow, RuleSet)> {
        if (FIRST_ID..).zip(PROJECT_ROLES).any(|(built_in, _)| id.uuid().as_u128() == built_in) {
            return Err(Error::bad_request("A built-in role can't be changed or deleted"));
        }
        let found = roles::find(&self.store, access.project.org_id, id).await?;
        let row = found.filter(|row| row.project_id == access.id()).ok_or_else(not_found)?;
        let rules = RuleSet::new(self.rules_of_custom(&row)?);
        access.rules.require_covers(&rules)?;
        Ok((row, rules))
    }

    /// The rules that a role is to have, as they are stored: what it comes to allow, and what it no
    /// longer forbids, is the caller's, and not too much for anybody who has the role.
    async fn next_rules(
        &self,
        access: &ProjectAccess,
        row: &CustomRoleRow,
        held: &RuleSet,
        sent: &[Value],
    ) -> Result<String> {
        let (text, next) = checked_rules(access, sent)?;
        access.rules.require_covers(&held.lifted_by(&next))?;
        let weight = Weight::of(next.wire());
        if weight.exceeds(Weight::of(held.wire())) {
            self.require_bearable(row, weight).await?;
        }
        Ok(text)
    }

    /// Refuses when a role of this weight is too much for a membership that has it, beside its other
    /// roles.
    async fn require_bearable(&self, role: &CustomRoleRow, weight: Weight) -> Result<()> {
        let (org, project) = (role.org_id, role.project_id);
        let mut weights = HashMap::from([(role.id, weight)]);
        for row in roles::list(&self.store, org, project).await? {
            if row.id != role.id {
                weights.insert(row.id, Weight::of(self.rules_of_custom(&row)?.iter()));
            }
        }
        let mut held: HashMap<_, Weight> = HashMap::new();
        for held_role in roles::beside(&self.store, org, role.id).await? {
            let sum = held.entry(held_role.membership_id).or_default();
            *sum = sum.and(weights.get(&held_role.role_id).copied().unwrap_or_default());
        }
        if held.values().any(|weight| weight.exceeds(Weight::MOST)) {
            return Err(Error::field("permissions", memberships::too_much()));
        }
        Ok(())
    }

    /// Begins to write a role that is what it was when it was compared.
    async fn role_as_seen(&self, seen: &CustomRoleRow) -> Result<(Tx, CustomRoleRow)> {
        let mut tx = self.store.begin().await?;
        projects::lock(&mut tx, seen.org_id, seen.project_id).await?;
        let row = roles::find(&mut tx, seen.org_id, seen.id).await?.ok_or_else(not_found)?;
        if row.mac != seen.mac {
            return Err(Error::Unavailable("The role changed meanwhile; try again"));
        }
        Ok((tx, row))
    }

    fn answer_role(&self, row: CustomRoleRow) -> Result<RoleResponse> {
        let rules = self.rules_of_custom(&row)?;
        Ok(RoleResponse { role: to_wire(row, Some(rules)) })
    }
}

/// The rules of a body as they are stored, once the caller is known to hold all that they allow.
fn checked_rules(access: &ProjectAccess, sent: &[Value]) -> Result<(String, RuleSet)> {
    let rules = check("permissions", sent)?;
    let text = serde_json::to_string(&rules).map_err(|error| Error::Internal(Box::new(error)))?;
    let rules = RuleSet::new(rules);
    access.rules.require_covers(&rules)?;
    Ok((text, rules))
}

fn new_slug(slug: &str) -> Result<String> {
    let slug = text::slug("slug", slug, 1, MAX_NAME)?;
    if is_reserved(&slug) {
        return Err(Error::bad_request("The slug is that of a built-in role"));
    }
    Ok(slug)
}

fn new_name(name: &str) -> Result<String> {
    let name = text::name("name", name, MAX_NAME)?;
    if is_reserved(&name) {
        return Err(Error::bad_request("The name is that of a built-in role"));
    }
    Ok(name)
}

fn new_description(description: Option<&str>) -> Result<Option<String>> {
    text::note("description", description.unwrap_or_default(), MAX_DESCRIPTION)?;
    Ok(description.map(str::to_owned).filter(|text| !text.is_empty()))
}

const NOT_FOUND: &str = "Role not found";

fn not_found() -> Error {
    Error::not_found(NOT_FOUND)
}

fn slug_taken() -> Error {
    Error::bad_request("Role with the same slug already exists")
}

fn in_use() -> Error {
    Error::bad_request("The role is assigned to members of the project; take it from them first")
}

/// A built-in role, by its place among [`PROJECT_ROLES`].
fn built_in(access: &ProjectAccess, place: usize) -> ProjectRole {
    let (name, description) = ABOUT[place];
    let made = Timestamp(access.project.created_at);
    ProjectRole {
        id: Uuid::from_u128(FIRST_ID + place as u128).into(),
        name: name.into(),
        slug: PROJECT_ROLES[place].into(),
        description: Some(description.into()),
        project_id: access.id(),
        created_at: made,
        updated_at: made,
        permissions: None,
    }
}

fn to_wire(row: CustomRoleRow, permissions: Option<Vec<Rule>>) -> ProjectRole {
    ProjectRole {
        id: row.id,
        name: row.name,
        slug: row.slug,
        description: row.description,
        project_id: row.project_id,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        permissions,
    }
}

fn event(kind: &'static str, row: &CustomRoleRow) -> Event {
    let rules = serde_json::from_str::<Value>(&row.permissions).unwrap_or_default();
    Event::new(kind).project(row.project_id).details([
        ("roleId", row.id.to_string().into()),
        ("slug", row.slug.as_str().into()),
        ("name", row.name.as_str().into()),
        ("permissions", rules),
    ])
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
mod tests;
