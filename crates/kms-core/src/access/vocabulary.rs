//! Subjects and actions, in the words of the wire contract.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each variant is the word of the contract that it spells")]
        pub enum $name { $($variant),+ }

        impl $name {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Reads a word of the wire.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// What a rule is about, in a project or in an organization.
    Subject {
        Secrets = "secrets",
        SecretFolders = "secret-folders",
        SecretImports = "secret-imports",
        SecretRollback = "secret-rollback",
        SecretApproval = "secret-approval",
        Commits = "commits",
        Tags = "tags",
        Environments = "environments",
        ServiceTokens = "service-tokens",
        Settings = "settings",
        Role = "role",
        Member = "member",
        Groups = "groups",
        Identity = "identity",
        AuditLogs = "audit-logs",
        Webhooks = "webhooks",
        Integrations = "integrations",
        IpAllowlist = "ip-allowlist",
        Project = "project",
        SubOrganization = "sub-organization",
        Sso = "sso",
    }
}

words! {
    /// What may be done.
    Action {
        Read = "read",
        DescribeSecret = "describeSecret",
        ReadValue = "readValue",
        Create = "create",
        Edit = "edit",
        Delete = "delete",
        GrantPrivileges = "grant-privileges",
        AssignRole = "assign-role",
        AssignAdditionalPrivileges = "assign-additional-privileges",
        AssumePrivileges = "assume-privileges",
        RevokeAuth = "revoke-auth",
        CreateToken = "create-token",
        GetToken = "get-token",
        DeleteToken = "delete-token",
        DirectAccess = "direct-access",
        PerformRollback = "perform-rollback",
        AllowChangeBypass = "allow-change-bypass",
        AllowAccessBypass = "allow-access-bypass",
    }
}

use Action::{
    AllowAccessBypass, AllowChangeBypass, AssignAdditionalPrivileges, AssignRole, AssumePrivileges,
    Create, CreateToken, Delete, DeleteToken, DescribeSecret, Edit, GetToken, GrantPrivileges,
    PerformRollback, Read, ReadValue, RevokeAuth,
};

/// What may be done with most things.
pub(super) const CRUD: &[Action] = &[Read, Create, Edit, Delete];
const SECRETS: &[Action] = &[Read, DescribeSecret, ReadValue, Create, Edit, Delete];
const PRINCIPALS: &[Action] = &[
    Read,
    Create,
    Edit,
    Delete,
    GrantPrivileges,
    AssignRole,
    AssignAdditionalPrivileges,
    AssumePrivileges,
];
const IDENTITIES: &[Action] = &[
    Read,
    Create,
    Edit,
    Delete,
    GrantPrivileges,
    AssignRole,
    AssignAdditionalPrivileges,
    AssumePrivileges,
    RevokeAuth,
    CreateToken,
    GetToken,
    DeleteToken,
];

/// Every action that rules in a project can speak of, by subject (wire contract, subjects and
/// actions); what an administrator of the project may.
pub(super) const IN_PROJECTS: &[(Subject, &[Action])] = &[
    (Subject::Secrets, SECRETS),
    (Subject::SecretFolders, CRUD),
    (Subject::SecretImports, CRUD),
    (Subject::SecretRollback, &[Read, Create]),
    (Subject::SecretApproval, &[Read, Create, Edit, Delete, AllowChangeBypass, AllowAccessBypass]),
    (Subject::Commits, &[Read, PerformRollback]),
    (Subject::Tags, CRUD),
    (Subject::Environments, CRUD),
    (Subject::ServiceTokens, CRUD),
    (Subject::Settings, CRUD),
    (Subject::Role, CRUD),
    (Subject::Member, PRINCIPALS),
    (Subject::Groups, PRINCIPALS),
    (Subject::Identity, IDENTITIES),
    (Subject::AuditLogs, &[Read]),
    (Subject::Webhooks, CRUD),
    (Subject::Integrations, CRUD),
    (Subject::IpAllowlist, CRUD),
    (Subject::Project, &[Edit, Delete]),
];
