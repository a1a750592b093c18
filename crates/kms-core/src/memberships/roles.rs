//! Roles as they are given: which one, and for how long.

use std::sync::Arc;

use kms_api::{
    Timestamp,
    memberships::{IdentityMembershipBody, RoleInput},
};

use crate::{
    Error, Result,
    access::{RuleSet, project_role},
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
    /// Its slug.
    pub(crate) slug: String,
    /// When it holds, if not always.
    pub(crate) temporary: Option<Temporary>,
    rules: Arc<RuleSet>,
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
        Self { slug: slug.into(), temporary: None, rules }
    }

    fn parse(input: &RoleInput) -> Result<Self> {
        let rules = project_role(&input.role)?;
        let temporary =
            if input.is_temporary.unwrap_or(false) { Some(temporary(input)?) } else { None };
        Ok(Self { slug: input.role.clone(), temporary, rules })
    }
}

/// Refuses unless the giver holds all that the roles allow (attack T4).
pub(crate) fn require_covered_by(roles: &[NewRole], giver: &RuleSet) -> Result<()> {
    roles.iter().try_for_each(|role| giver.require_covers(&role.rules))
}

/// The roles of a body that adds a member; `no-access` when it names none.
pub(super) fn to_add(body: &IdentityMembershipBody) -> Result<Vec<NewRole>> {
    match (&body.roles, &body.role) {
        (Some(roles), _) => parse_all(roles),
        (None, Some(role)) => parse_all(&[of_slug(role)]),
        (None, None) => Ok(vec![NewRole::permanent(NO_ACCESS)]),
    }
}

/// The roles of a body that replaces those of a member: at least one.
pub(super) fn to_replace(body: &IdentityMembershipBody) -> Result<Vec<NewRole>> {
    match (&body.roles, &body.role) {
        (Some(roles), _) => parse_all(roles),
        (None, Some(role)) => parse_all(&[of_slug(role)]),
        (None, None) => Err(Error::field("roles", "Required")),
    }
}

fn of_slug(role: &str) -> RoleInput {
    RoleInput { role: role.into(), ..RoleInput::default() }
}

pub(crate) fn parse_all(inputs: &[RoleInput]) -> Result<Vec<NewRole>> {
    if inputs.is_empty() || inputs.len() > MAX_ROLES {
        return Err(Error::field("roles", format!("must be 1 to {MAX_ROLES} roles")));
    }
    let mut roles: Vec<NewRole> = Vec::new();
    for input in inputs {
        if roles.iter().any(|role| role.slug == input.role) {
            return Err(Error::field("roles", "must not name a role twice"));
        }
        roles.push(NewRole::parse(input)?);
    }
    Ok(roles)
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
            let role = NewRole::parse(&temporary_role(range)).unwrap();
            let holds = role.temporary.unwrap();
            assert_eq!(holds.ends_at - holds.starts_at, seconds * 1_000_000, "{range}");
        }
    }

    #[test]
    fn ranges_that_are_not_times_are_refused() {
        for range in
            ["", "h", "1", "-1h", "1.5h", "0h", "1µ", "99999999999999999999d", "11y", "+1h"]
        {
            assert!(NewRole::parse(&temporary_role(range)).is_err(), "{range}");
        }
        let mut without_start = temporary_role("1h");
        without_start.temporary_access_start_time = None;
        assert!(NewRole::parse(&without_start).is_err());
    }

    #[test]
    fn t4_role_slugs_are_exact_and_named_once() {
        for slug in ["Admin", " admin", "admin ", "ADMIN", "", "custom", "owner"] {
            assert!(NewRole::parse(&of_slug(slug)).is_err(), "{slug}");
        }
        assert!(parse_all(&[of_slug("viewer"), of_slug("viewer")]).is_err());
        assert!(parse_all(&[]).is_err());
    }
}
