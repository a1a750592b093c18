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
        Tags = "tags",
        Environments = "environments",
        ServiceTokens = "service-tokens",
        Settings = "settings",
        Role = "role",
        Member = "member",
        Groups = "groups",
        Identity = "identity",
        AuditLogs = "audit-logs",
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
        RevokeAuth = "revoke-auth",
        CreateToken = "create-token",
        GetToken = "get-token",
        DeleteToken = "delete-token",
        DirectAccess = "direct-access",
    }
}
