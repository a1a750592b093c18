//! How people's accounts begin: signing up, being invited, and replacing a lost password.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{OrganizationId, ProjectId, users::User, wire};

/// Asks for a code to sign up with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignUpStart {
    /// The address.
    pub email: String,
}

/// Gives the code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignUpVerify {
    /// The address.
    pub email: String,
    /// The six digits, or what the link in the mail holds.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub code: SecretString,
}

/// The answer to a code that holds.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignUpVerified {
    /// For people.
    pub message: String,
    /// Good for completing the account, for 15 minutes.
    pub token: String,
    /// The account, not complete yet.
    pub user: User,
}

/// Completes an account that was signed up for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CompleteSignUp {
    /// The address.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The password.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub password: SecretString,
    /// The name of an organization to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// Refused: there is no default organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_default_org: Option<bool>,
}

/// Completes the account of somebody who was invited.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CompleteInvitation {
    /// The address.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The password.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub password: SecretString,
}

/// The answer to a completed account, beside the cookie of a login.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AccountCompleted {
    /// For people.
    pub message: String,
    /// The account.
    pub user: User,
    /// An access token.
    pub token: String,
    /// The organization that was made or joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
}

/// A project that somebody is invited to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InviteToProject {
    /// The project.
    pub id: ProjectId,
    /// The roles in it; `member` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_role_slug: Option<Vec<String>>,
}

/// Invites people to the organization that the token acts in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitee_emails: Option<Vec<String>>,
    /// One address, the older form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitee_email: Option<String>,
    /// The role in the organization; its default role when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_role_slug: Option<String>,
    /// Projects to be a member of too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<InviteToProject>>,
}

/// A link to pass on where nothing is mailed.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationLink {
    /// Whom it is for.
    pub email: String,
    /// The link; whoever has it can accept in that name.
    pub link: String,
}

/// The answer to an invitation.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Invited {
    /// For people.
    pub message: String,
    /// The links, where nothing is mailed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_invite_links: Option<Vec<InvitationLink>>,
    /// The link of the older form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_invite_link: Option<String>,
}

/// Accepts an invitation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerifyInvitation {
    /// The address that was invited.
    pub email: String,
    /// The organization.
    pub organization_id: OrganizationId,
    /// `token` of the link.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub code: SecretString,
}

/// The answer to an invitation that holds.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationVerified {
    /// For people.
    pub message: String,
    /// Good for completing the account, for 15 minutes; none for somebody who has one and is a
    /// member by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The account.
    pub user: User,
}

/// Asks for a link to set a new password with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recover {
    /// The address.
    pub email: String,
}

/// Gives what the link holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifyRecovery {
    /// The address.
    pub email: String,
    /// `token` of the link.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub code: SecretString,
}

/// The answer to a link that holds.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RecoveryVerified {
    /// The account.
    pub user: User,
    /// Good for setting a password, once, for 15 minutes.
    pub token: String,
    /// Always 2: keys are the server's.
    pub user_encryption_version: i64,
}

/// Sets a new password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ResetPassword {
    /// The password.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub new_password: SecretString,
}

/// Changes the password of the person who asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangePassword {
    /// The present password.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub old_password: SecretString,
    /// The new one.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub new_password: SecretString,
}

/// Shows that the address of the person who asks is theirs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifyAddress {
    /// The six digits that were mailed.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub code: SecretString,
}

macro_rules! redacted {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(<redacted>)"))
            }
        }
    )+};
}

redacted!(
    SignUpVerified,
    AccountCompleted,
    InvitationLink,
    Invited,
    InvitationVerified,
    RecoveryVerified
);
