//! The built-in roles: rules like any others (wire contract, built-in roles).

use std::sync::{Arc, LazyLock};

use kms_api::permissions::{Actions, Rule};

use super::{
    Action, RuleSet, Subject,
    vocabulary::{CRUD, IN_PROJECTS},
};
use crate::{Error, Result};

use Action::{
    AssignRole, Create, CreateToken, Delete, DeleteToken, DescribeSecret, DirectAccess, Edit,
    GetToken, GrantPrivileges, PerformRollback, Read, ReadValue, RevokeAuth,
};

type Table = &'static [(Subject, &'static [Action])];

const SECRETS_ALL: &[Action] = &[Read, DescribeSecret, ReadValue, Create, Edit, Delete];
const PRINCIPAL_ALL: &[Action] = &[Read, Create, Edit, Delete, GrantPrivileges, AssignRole];
const IDENTITY_ALL: &[Action] = &[
    Read,
    Create,
    Edit,
    Delete,
    GrantPrivileges,
    AssignRole,
    RevokeAuth,
    CreateToken,
    GetToken,
    DeleteToken,
];

const PROJECT_MEMBER: Table = &[
    (Subject::Secrets, SECRETS_ALL),
    (Subject::SecretFolders, CRUD),
    (Subject::SecretImports, CRUD),
    (Subject::SecretRollback, &[Read, Create]),
    (Subject::Tags, CRUD),
    (Subject::Environments, CRUD),
    (Subject::ServiceTokens, CRUD),
    (Subject::Settings, &[Read]),
    (Subject::Role, &[Read]),
    (Subject::Member, &[Read, Create]),
    (Subject::Groups, &[Read]),
    (Subject::Identity, &[Read]),
    (Subject::AuditLogs, &[Read]),
    (Subject::Commits, &[Read, PerformRollback]),
    (Subject::SecretApproval, &[Read]),
    (Subject::Webhooks, CRUD),
    (Subject::Integrations, CRUD),
    (Subject::IpAllowlist, &[Read]),
];

const PROJECT_VIEWER: Table = &[
    (Subject::Secrets, &[Read, DescribeSecret, ReadValue]),
    (Subject::SecretFolders, &[Read]),
    (Subject::SecretImports, &[Read]),
    (Subject::SecretRollback, &[Read]),
    (Subject::Tags, &[Read]),
    (Subject::Environments, &[Read]),
    (Subject::ServiceTokens, &[Read]),
    (Subject::Settings, &[Read]),
    (Subject::Role, &[Read]),
    (Subject::Member, &[Read]),
    (Subject::Groups, &[Read]),
    (Subject::Identity, &[Read]),
    (Subject::AuditLogs, &[Read]),
    (Subject::Commits, &[Read]),
    (Subject::SecretApproval, &[Read]),
    (Subject::Webhooks, &[Read]),
    (Subject::Integrations, &[Read]),
    (Subject::IpAllowlist, &[Read]),
];

const ORGANIZATION_ADMIN: Table = &[
    (Subject::Project, &[Read, Create]),
    (Subject::SubOrganization, &[Read, Create, Edit, Delete, DirectAccess]),
    (Subject::Role, CRUD),
    (Subject::Member, PRINCIPAL_ALL),
    (Subject::Groups, PRINCIPAL_ALL),
    (Subject::Identity, IDENTITY_ALL),
    (Subject::Settings, CRUD),
    (Subject::Sso, CRUD),
    (Subject::AuditLogs, &[Read]),
];

const ORGANIZATION_MEMBER: Table = &[
    (Subject::Project, &[Read, Create]),
    (Subject::SubOrganization, &[Read]),
    (Subject::Role, &[Read]),
    (Subject::Member, &[Read]),
    (Subject::Groups, &[Read]),
    (Subject::Identity, &[Read]),
    (Subject::Settings, &[Read]),
];

/// Slugs of the built-in roles of an organization.
pub const ORGANIZATION_ROLES: [&str; 3] = ["admin", "member", "no-access"];
/// Slugs of the built-in roles of a project.
pub const PROJECT_ROLES: [&str; 4] = ["admin", "member", "viewer", "no-access"];

/// What a role is called, in the place of a slug, that is not built in.
pub const CUSTOM: &str = "custom";

fn rules(table: Table) -> Arc<RuleSet> {
    Arc::new(RuleSet::new(table.iter().map(|(subject, actions)| Rule {
        subject: subject.as_str().into(),
        action: Actions::Many(actions.iter().map(|action| action.as_str().into()).collect()),
        inverted: false,
        conditions: None,
    })))
}

static PROJECT: LazyLock<[Arc<RuleSet>; 4]> = LazyLock::new(|| {
    [rules(IN_PROJECTS), rules(PROJECT_MEMBER), rules(PROJECT_VIEWER), Arc::default()]
});
static ORGANIZATION: LazyLock<[Arc<RuleSet>; 3]> =
    LazyLock::new(|| [rules(ORGANIZATION_ADMIN), rules(ORGANIZATION_MEMBER), Arc::default()]);

/// The rules of a role in a project, by its exact slug.
pub fn project_role(slug: &str) -> Result<Arc<RuleSet>> {
    find(&PROJECT_ROLES, &*PROJECT, slug)
}

/// The rules of a role in an organization, by its exact slug.
pub fn organization_role(slug: &str) -> Result<Arc<RuleSet>> {
    find(&ORGANIZATION_ROLES, &*ORGANIZATION, slug)
}

/// Whether a slug or name is, in whatever case, that of a built-in role of a project, or means that
/// a role is none (attack T4).
pub(crate) fn is_reserved(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let names = PROJECT_ROLES.iter().chain(&[CUSTOM, "developer", "no access"]);
    names.copied().any(|name| name == text)
}

fn find(slugs: &[&str], sets: &[Arc<RuleSet>], slug: &str) -> Result<Arc<RuleSet>> {
    let place = slugs.iter().position(|known| *known == slug);
    let set = place.and_then(|place| sets.get(place)).map(Arc::clone);
    set.ok_or_else(|| Error::bad_request("Role not found"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t4_each_role_covers_the_ones_below_it_and_none_above() {
        for (roles, find) in [
            (&PROJECT_ROLES[..], project_role as fn(&str) -> Result<Arc<RuleSet>>),
            (&ORGANIZATION_ROLES[..], organization_role),
        ] {
            for (upper, role) in roles.iter().enumerate() {
                for (lower, other) in roles.iter().enumerate() {
                    let covers = find(role).unwrap().require_covers(&find(other).unwrap());
                    assert_eq!(covers.is_ok(), upper <= lower, "{role} over {other}");
                }
            }
        }
        assert!(project_role("Admin").is_err(), "role slugs are exact");
    }
}
