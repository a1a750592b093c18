//! Roles as they are given: which one, and for how long.

use std::sync::Arc;

use kms_api::{
    Timestamp,
    memberships::{IdentityMembershipBody, RoleInput},
};
use kms_store::{
    StoreError, Tx,
    roles::{self, CustomRoleRow},
};

use crate::{
    Core, Error, Result,
    access::{CUSTOM, PROJECT_ROLES, ProjectAccess, RuleSet, Weight, project_role},
};

/// The only way in which a role ends by itself: some time after it began.
pub(super) const RELATIVE: &str = "relative";
/// The role of a member whose roles were not said.
const NO_ACCESS: &str = "no-access";
/// Roles of one membership, at most.
const MAX_ROLES: usize = 20;
/// The longest time that a temporary role holds: ten years.
const MAX_SECONDS: i64 = 10 * 365 * 86_400;

/// A role to give.
#[derive(Clone, Debug)]
pub(crate) struct NewRole {
    /// Its slug, or `custom`.
    pub(crate) slug: String,
    /// The role of the project that it is, if it is not a built-in one.
    pub(crate) custom: Option<CustomRoleRow>,
    /// When it holds, if not always.
    pub(crate) temporary: Option<Temporary>,
    pub(super) rules: Arc<RuleSet>,
}

/// When a temporary role holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Temporary {
    /// How long, as it was said: `1h`, `30d`.
    pub(crate) range: String,
    /// From when, in microseconds.
    pub(crate) starts_at: i64,
    /// Until when, in microseconds.
    pub(crate) ends_at: i64,
}

impl NewRole {
    /// A built-in role that always holds.
    pub(crate) fn permanent(slug: &'static str) -> Self {
        let rules = project_role(slug).unwrap_or_default();
        Self { slug: slug.into(), custom: None, temporary: None, rules }
    }

    fn parse(core: &Core, input: &RoleInput, own: &[CustomRoleRow]) -> Result<Self> {
        let temporary =
            if input.is_temporary.unwrap_or(false) { Some(temporary(input)?) } else { None };
        if let Some(row) = own.iter().find(|row| row.slug == input.role) {
            let rules = core.rules_of_role(CUSTOM, Some(row))?;
            return Ok(Self { slug: CUSTOM.into(), custom: Some(row.clone()), temporary, rules });
        }
        let rules = project_role(&input.role)?;
        Ok(Self { slug: input.role.clone(), custom: None, temporary, rules })
    }
}

/// Refuses unless the giver holds all that the roles allow (attack T4).
fn require_covered_by(roles: &[NewRole], giver: &RuleSet) -> Result<()> {
    roles.iter().try_for_each(|role| giver.require_covers(&role.rules))
}

/// The roles that a body names, in either form.
fn named(body: &IdentityMembershipBody) -> Option<Vec<RoleInput>> {
    body.roles.clone().or_else(|| Some(vec![of_slug(body.role.as_ref()?)]))
}

/// The roles of a body that adds a member; `no-access` when it names none.
pub(super) fn to_add(body: &IdentityMembershipBody) -> Vec<RoleInput> {
    named(body).unwrap_or_else(|| vec![of_slug(NO_ACCESS)])
}

/// The roles of a body that replaces those of a member: at least one.
pub(super) fn to_replace(body: &IdentityMembershipBody) -> Result<Vec<RoleInput>> {
    named(body).ok_or_else(|| Error::field("roles", "Required"))
}

/// A role that was deleted since it was looked up is one that there is not.
pub(super) fn given<T>(result: Result<T, StoreError>) -> Result<T> {
    match result {
        Err(StoreError::Orphan) => Err(Error::bad_request("Role not found")),
        other => Ok(other?),
    }
}

impl Core {
    /// Reads roles that somebody gives in a project, and refuses unless the giver holds all that
    /// they allow (attack T4).
    pub(crate) async fn roles_to_give(
        &self,
        access: &ProjectAccess,
        inputs: &[RoleInput],
    ) -> Result<Vec<NewRole>> {
        let is_built_in = |input: &RoleInput| PROJECT_ROLES.contains(&input.role.as_str());
        let own = if inputs.iter().all(is_built_in) {
            Vec::new()
        } else {
            roles::list(&self.store, access.project.org_id, access.id()).await?
        };
        let roles = self.parse_roles(inputs, &own)?;
        require_covered_by(&roles, &access.rules)?;
        Ok(roles)
    }

    /// Refuses when a role of the project changed since it was read to be given: what is given would
    /// not be what was checked.
    pub(super) async fn require_given_as_read(&self, tx: &mut Tx, roles: &[NewRole]) -> Result<()> {
        for read in roles.iter().filter_map(|role| role.custom.as_ref()) {
            let now = roles::find(&mut *tx, read.org_id, read.id).await?;
            let now = now.ok_or_else(|| Error::bad_request("Role not found"))?;
            if now.mac != read.mac {
                return Err(Error::Unavailable("The role changed meanwhile; try again"));
            }
        }
        Ok(())
    }

    fn parse_roles(&self, inputs: &[RoleInput], own: &[CustomRoleRow]) -> Result<Vec<NewRole>> {
        if inputs.is_empty() || inputs.len() > MAX_ROLES {
            return Err(Error::field("roles", format!("must be 1 to {MAX_ROLES} roles")));
        }
        let mut roles = Vec::new();
        for (index, input) in inputs.iter().enumerate() {
            if inputs[..index].iter().any(|other| other.role == input.role) {
                return Err(Error::field("roles", "must not name a role twice"));
            }
            roles.push(NewRole::parse(self, input, own)?);
        }
        let of_project = roles.iter().filter(|role| role.custom.is_some());
        let weight = Weight::of(of_project.flat_map(|role| role.rules.wire()));
        if weight.exceeds(Weight::MOST) {
            return Err(Error::field("roles", too_much()));
        }
        Ok(roles)
    }
}

/// What to say of roles that are too much for one membership.
pub(crate) fn too_much() -> String {
    let Weight { rules, patterns } = Weight::MOST;
    format!(
        "the project's own roles of one member may have {rules} rules together, and {patterns} \
         bytes of patterns (`$glob`)"
    )
}

fn of_slug(role: &str) -> RoleInput {
    RoleInput { role: role.into(), ..RoleInput::default() }
}

fn temporary(input: &RoleInput) -> Result<Temporary> {
    if input.temporary_mode.as_deref().is_some_and(|mode| mode != RELATIVE) {
        return Err(Error::field("temporaryMode", format!("must be `{RELATIVE}`")));
    }
    let required = |name| Error::field(name, "is required of a temporary role");
    let range = input.temporary_range.as_deref().ok_or_else(|| required("temporaryRange"))?;
    let start =
        input.temporary_access_start_time.ok_or_else(|| required("temporaryAccessStartTime"))?;
    let seconds = seconds(range).filter(|seconds| (1..=MAX_SECONDS).contains(seconds));
    let seconds = seconds.ok_or_else(|| {
        Error::field(
            "temporaryRange",
            "must be a time such as `30m`, `1h` or `30d`, up to 10 years",
        )
    })?;
    let Timestamp(ends_at) = start.plus_seconds(seconds);
    Ok(Temporary { range: range.to_owned(), starts_at: start.micros(), ends_at })
}

/// A number and a unit: `s`, `m`, `h`, `d`, `w`, `y`.
fn seconds(range: &str) -> Option<i64> {
    let unit = range.chars().last()?;
    let number = &range[..range.len() - unit.len_utf8()];
    let unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        'y' => 365 * 86_400,
        _ => return None,
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary_role(range: &str) -> RoleInput {
        RoleInput {
            role: "viewer".into(),
            is_temporary: Some(true),
            temporary_mode: Some(RELATIVE.into()),
            temporary_range: Some(range.into()),
            temporary_access_start_time: Some(Timestamp::from_seconds(1_000)),
        }
    }

    #[test]
    fn a_temporary_role_ends_a_range_after_its_start() {
        for (range, seconds) in
            [("90s", 90), ("5m", 300), ("1h", 3_600), ("30d", 2_592_000), ("2w", 1_209_600)]
        {
            let holds = temporary(&temporary_role(range)).unwrap();
            assert_eq!(holds.ends_at - holds.starts_at, seconds * 1_000_000, "{range}");
        }
    }

    #[test]
    fn ranges_that_are_not_times_are_refused() {
        for range in
            ["", "h", "1", "-1h", "1.5h", "0h", "1µ", "99999999999999999999d", "11y", "+1h"]
        {
            assert!(temporary(&temporary_role(range)).is_err(), "{range}");
        }
        let mut without_start = temporary_role("1h");
        without_start.temporary_access_start_time = None;
        assert!(temporary(&without_start).is_err());
    }
}
