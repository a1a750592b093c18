//! Every path, once. `{name}` marks a parameter, in the form that the router understands.

/// `GET` readiness.
pub const STATUS: &str = "/api/status";

/// `POST` universal-auth login.
pub const UNIVERSAL_AUTH_LOGIN: &str = "/api/v1/auth/universal-auth/login";
/// `POST`, `PATCH`, `GET`, `DELETE` universal auth of an identity.
pub const UNIVERSAL_AUTH: &str = "/api/v1/auth/universal-auth/identities/{identityId}";
/// `POST`, `GET` client secrets of an identity.
pub const CLIENT_SECRETS: &str =
    "/api/v1/auth/universal-auth/identities/{identityId}/client-secrets";
/// `GET` one client secret.
pub const CLIENT_SECRET: &str =
    "/api/v1/auth/universal-auth/identities/{identityId}/client-secrets/{clientSecretId}";
/// `POST` revokes a client secret.
pub const CLIENT_SECRET_REVOKE: &str =
    "/api/v1/auth/universal-auth/identities/{identityId}/client-secrets/{clientSecretId}/revoke";
/// `POST` clears the lockouts of an identity.
pub const CLEAR_LOCKOUTS: &str =
    "/api/v1/auth/universal-auth/identities/{identityId}/clear-lockouts";
/// `POST`, `PATCH`, `GET`, `DELETE` token auth of an identity.
pub const TOKEN_AUTH: &str = "/api/v1/auth/token-auth/identities/{identityId}";
/// `POST`, `GET` tokens of token auth.
pub const TOKEN_AUTH_TOKENS: &str = "/api/v1/auth/token-auth/identities/{identityId}/tokens";
/// `GET` one token of token auth.
pub const TOKEN_AUTH_IDENTITY_TOKEN: &str =
    "/api/v1/auth/token-auth/identities/{identityId}/tokens/{tokenId}";
/// `PATCH` renames a token of token auth.
pub const TOKEN_AUTH_TOKEN: &str = "/api/v1/auth/token-auth/tokens/{tokenId}";
/// `POST` revokes a token of token auth.
pub const TOKEN_AUTH_TOKEN_REVOKE: &str = "/api/v1/auth/token-auth/tokens/{tokenId}/revoke";
/// `POST` kubernetes-auth login.
pub const KUBERNETES_AUTH_LOGIN: &str = "/api/v1/auth/kubernetes-auth/login";
/// `POST`, `PATCH`, `GET`, `DELETE` Kubernetes auth of an identity.
pub const KUBERNETES_AUTH: &str = "/api/v1/auth/kubernetes-auth/identities/{identityId}";
/// `POST` azure-auth login.
pub const AZURE_AUTH_LOGIN: &str = "/api/v1/auth/azure-auth/login";
/// `POST`, `PATCH`, `GET`, `DELETE` Azure auth of an identity.
pub const AZURE_AUTH: &str = "/api/v1/auth/azure-auth/identities/{identityId}";
/// `POST` gcp-auth login.
pub const GCP_AUTH_LOGIN: &str = "/api/v1/auth/gcp-auth/login";
/// `POST`, `PATCH`, `GET`, `DELETE` GCP auth of an identity.
pub const GCP_AUTH: &str = "/api/v1/auth/gcp-auth/identities/{identityId}";
/// `POST` aws-auth login.
pub const AWS_AUTH_LOGIN: &str = "/api/v1/auth/aws-auth/login";
/// `POST`, `PATCH`, `GET`, `DELETE` AWS auth of an identity.
pub const AWS_AUTH: &str = "/api/v1/auth/aws-auth/identities/{identityId}";
/// `POST` oidc-auth login.
pub const OIDC_AUTH_LOGIN: &str = "/api/v1/auth/oidc-auth/login";
/// `POST`, `PATCH`, `GET`, `DELETE` OIDC auth of an identity.
pub const OIDC_AUTH: &str = "/api/v1/auth/oidc-auth/identities/{identityId}";
/// `POST` jwt-auth login.
pub const JWT_AUTH_LOGIN: &str = "/api/v1/auth/jwt-auth/login";
/// `POST`, `PATCH`, `GET`, `DELETE` JWT auth of an identity.
pub const JWT_AUTH: &str = "/api/v1/auth/jwt-auth/identities/{identityId}";
/// `POST` renews an access token.
pub const TOKEN_RENEW: &str = "/api/v1/auth/token/renew";
/// `POST` revokes an access token.
pub const TOKEN_REVOKE: &str = "/api/v1/auth/token/revoke";

/// `POST` a person's login with e-mail address and password.
pub const USER_LOGIN: &str = "/api/v3/auth/login";
/// `POST` the first half of a login by SRP; older compatible servers only.
pub const USER_LOGIN_SRP_1: &str = "/api/v3/auth/login1";
/// `POST` the second half of a login by SRP; older compatible servers only.
pub const USER_LOGIN_SRP_2: &str = "/api/v3/auth/login2";
/// `POST` chooses the organization or sub-organization that a person's session acts in.
pub const SELECT_ORGANIZATION: &str = "/api/v3/auth/select-organization";
/// `POST` mails the code of a second factor.
pub const MFA_SEND: &str = "/api/v2/auth/mfa/send";
/// `POST` gives a code of the second factor.
pub const MFA_VERIFY: &str = "/api/v2/auth/mfa/verify";
/// `POST` gives a recovery code in place of the second factor.
pub const MFA_VERIFY_RECOVERY_CODE: &str = "/api/v2/auth/mfa/verify/recovery-code";
/// `GET` whether the person has an authenticator app.
pub const MFA_CHECK_TOTP: &str = "/api/v2/auth/mfa/check/totp";
/// `GET` whether the person has passkeys.
pub const MFA_CHECK_WEBAUTHN: &str = "/api/v2/auth/mfa/check/webauthn";
/// `POST` whether a person's token is good.
pub const CHECK_AUTH: &str = "/api/v1/auth/checkAuth";
/// `POST` refreshes a person's tokens by the cookie `jid`.
pub const REFRESH: &str = "/api/v1/auth/token";
/// `POST` ends a person's session by the cookie `jid`.
pub const LOGOUT: &str = "/api/v1/auth/logout";
/// `GET` the person (older route).
pub const USER: &str = "/api/v1/user";
/// `GET` the person.
pub const USERS_ME: &str = "/api/v2/users/me";
/// `GET` the person's organizations.
pub const USERS_ME_ORGANIZATIONS: &str = "/api/v2/users/me/organizations";
/// `GET`, `DELETE` the person's sessions.
pub const USERS_ME_SESSIONS: &str = "/api/v2/users/me/sessions";
/// `DELETE` one of the person's sessions.
pub const USERS_ME_SESSION: &str = "/api/v2/users/me/sessions/{sessionId}";

/// `PATCH` which second factor the person asks for everywhere.
pub const USERS_ME_MFA: &str = "/api/v2/users/me/mfa";
/// `GET`, `DELETE` the person's authenticator app.
pub const USER_TOTP: &str = "/api/v1/user/me/totp";
/// `POST` sets an authenticator app up.
pub const USER_TOTP_REGISTER: &str = "/api/v1/user/me/totp/register";
/// `POST` the first code of an authenticator app.
pub const USER_TOTP_VERIFY: &str = "/api/v1/user/me/totp/verify";
/// `POST` replaces the person's recovery codes.
pub const USER_TOTP_RECOVERY_CODES: &str = "/api/v1/user/me/totp/recovery-codes";

/// `GET`, `PATCH` instance configuration.
pub const ADMIN_CONFIG: &str = "/api/v1/admin/config";
/// `POST` the first administrator.
pub const ADMIN_SIGNUP: &str = "/api/v1/admin/signup";
/// `POST` first administrator, organization and instance-admin identity.
pub const ADMIN_BOOTSTRAP: &str = "/api/v1/admin/bootstrap";

/// `GET` all accounts.
pub const ADMIN_USERS: &str = "/api/v1/admin/user-management/users";
/// `DELETE` an account.
pub const ADMIN_USER: &str = "/api/v1/admin/user-management/users/{userId}";
/// `PATCH`, `DELETE` whether somebody administers the instance.
pub const ADMIN_USER_ACCESS: &str = "/api/v1/admin/user-management/users/{userId}/admin-access";

/// `POST` asks for a code to sign up with.
pub const SIGN_UP_START: &str = "/api/v3/signup/email/signup";
/// `POST` gives the code.
pub const SIGN_UP_VERIFY: &str = "/api/v3/signup/email/verify";
/// `POST` completes an account that was signed up for.
pub const COMPLETE_SIGN_UP: &str = "/api/v3/signup/complete-account/signup";
/// `POST` completes the account of somebody who was invited.
pub const COMPLETE_INVITATION: &str = "/api/v3/signup/complete-account/invite";
/// `POST` invites people to an organization.
pub const INVITE: &str = "/api/v1/invite-org/signup";
/// `POST` accepts an invitation.
pub const INVITE_VERIFY: &str = "/api/v1/invite-org/verify";
/// `POST` asks for a link to set a new password with.
pub const RECOVERY_START: &str = "/api/v1/account-recovery/send-email";
/// `POST` gives what the link holds.
pub const RECOVERY_VERIFY: &str = "/api/v1/account-recovery/verify-email";
/// `POST` sets a new password.
pub const PASSWORD_RESET: &str = "/api/v2/password/password-reset";
/// `POST` changes the caller's password.
pub const PASSWORD_CHANGE: &str = "/api/v2/password/user/password-reset";
/// `POST` asks for a code to confirm the caller's address with.
pub const ADDRESS_CODE: &str = "/api/v2/users/me/emails/code";
/// `POST` gives the code.
pub const ADDRESS_VERIFY: &str = "/api/v2/users/me/emails/verify";

/// `GET`, `POST` the page where people log in. With `?callback_port=N` it hands the session over to
/// that port of the browser's machine (wire contract, clients, section 4.7).
pub const LOGIN: &str = "/login";
/// `GET` what a browser login needs to know about the server (RFC 8414).
pub const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";
/// `GET`, `POST` the page where a browser login is confirmed.
pub const OAUTH_AUTHORIZE: &str = "/oauth/authorize";
/// `POST` trades codes for tokens.
pub const OAUTH_TOKEN: &str = "/oauth/token";
/// `POST` asks for a device code.
pub const OAUTH_DEVICE: &str = "/oauth/device";
/// `GET` the page that shows a code for pasting.
pub const OAUTH_CODE: &str = "/oauth/code";
/// `GET`, `POST` the page where the code of a device is typed and confirmed.
pub const DEVICE: &str = "/device";

/// `GET`, `POST`, `PATCH` the identity provider of the organization of the token.
pub const OIDC_CONFIG: &str = "/api/v1/sso/oidc/config";
/// `GET`, `POST` the page where somebody names their organization to sign in with.
pub const LOGIN_SSO: &str = "/login/sso";
/// `GET` where an identity provider sends the browser back to.
pub const LOGIN_SSO_CALLBACK: &str = "/login/sso/callback";
/// `GET`, `POST` the page that connects an account to what a provider said of its owner.
pub const LOGIN_SSO_CONNECT: &str = "/login/sso/connect";

/// `GET` organizations of the caller.
pub const ORGANIZATIONS: &str = "/api/v1/organization";
/// `GET` organizations of the caller, each with its sub-organizations.
pub const ACCESSIBLE_ORGANIZATIONS: &str = "/api/v1/organization/accessible-with-sub-orgs";
/// `GET`, `PATCH` one organization.
pub const ORGANIZATION: &str = "/api/v1/organization/{organizationId}";
/// `GET` members of an organization.
pub const ORGANIZATION_USERS: &str = "/api/v1/organization/{organizationId}/users";
/// `GET` projects of an organization.
pub const ORGANIZATION_WORKSPACES: &str = "/api/v2/organizations/{organizationId}/workspaces";
/// `GET` identities of an organization.
pub const ORGANIZATION_IDENTITIES: &str =
    "/api/v2/organizations/{organizationId}/identity-memberships";
/// `POST` an organization.
pub const ORGANIZATIONS_V2: &str = "/api/v2/organizations";
/// `DELETE` an organization.
pub const ORGANIZATION_V2: &str = "/api/v2/organizations/{organizationId}";
/// `GET` memberships of people in an organization.
pub const ORGANIZATION_MEMBERSHIPS: &str = "/api/v2/organizations/{organizationId}/memberships";
/// `GET`, `PATCH`, `DELETE` a person's membership in an organization.
pub const ORGANIZATION_MEMBERSHIP: &str =
    "/api/v2/organizations/{organizationId}/memberships/{membershipId}";
/// `POST`, `GET`, `PATCH`, `DELETE` an identity's membership in the organization of the token.
pub const ORGANIZATION_IDENTITY_MEMBERSHIP: &str =
    "/api/v1/organization/identity-memberships/{identityId}";
/// `POST`, `GET` sub-organizations of the organization of the token.
pub const SUB_ORGANIZATIONS: &str = "/api/v1/sub-organizations";
/// `PATCH`, `DELETE` a sub-organization.
pub const SUB_ORGANIZATION: &str = "/api/v1/sub-organizations/{subOrganizationId}";
/// `POST` joins a sub-organization.
pub const SUB_ORGANIZATION_MEMBERSHIPS: &str =
    "/api/v1/sub-organizations/{subOrganizationId}/memberships";
/// `GET` audit log of the organization of the token.
pub const AUDIT_LOGS: &str = "/api/v1/organization/audit-logs";
/// `GET` audit log of a project (older route).
pub const WORKSPACE_AUDIT_LOGS: &str = "/api/v1/workspace/{projectId}/audit-logs";

/// `POST`, `GET` identities.
pub const IDENTITIES: &str = "/api/v1/identities";
/// `GET`, `PATCH`, `DELETE` one identity.
pub const IDENTITY: &str = "/api/v1/identities/{identityId}";
/// `GET` the caller's own identity.
pub const IDENTITY_DETAILS: &str = "/api/v1/identities/details";
/// `GET` project memberships of an identity.
pub const IDENTITY_PROJECTS: &str = "/api/v1/identities/{identityId}/identity-memberships";

/// `POST`, `GET` projects.
pub const PROJECTS: &str = "/api/v1/projects";
/// `GET`, `PATCH`, `DELETE` one project.
pub const PROJECT: &str = "/api/v1/projects/{projectId}";
/// `GET` a project by slug.
pub const PROJECT_BY_SLUG: &str = "/api/v1/projects/slug/{slug}";
/// `POST` environments of a project.
pub const PROJECT_ENVIRONMENTS: &str = "/api/v1/projects/{projectId}/environments";
/// `GET`, `PATCH`, `DELETE` one environment.
pub const PROJECT_ENVIRONMENT: &str = "/api/v1/projects/{projectId}/environments/{environmentId}";
/// `GET` an environment by slug.
pub const PROJECT_ENVIRONMENT_BY_SLUG: &str =
    "/api/v1/projects/{projectId}/environments/slug/{slug}";
/// `GET` identity memberships of a project.
pub const PROJECT_IDENTITIES: &str = "/api/v1/projects/{projectId}/memberships/identities";
/// `POST`, `PATCH`, `GET`, `DELETE` an identity's membership in a project.
pub const PROJECT_IDENTITY: &str =
    "/api/v1/projects/{projectId}/memberships/identities/{identityId}";
/// `GET` user memberships of a project.
pub const PROJECT_MEMBERSHIPS: &str = "/api/v1/projects/{projectId}/memberships";
/// `GET` the caller's permissions in a project.
pub const PROJECT_PERMISSIONS: &str = "/api/v1/projects/{projectId}/permissions";
/// `GET`, `POST` roles of a project.
pub const PROJECT_ROLES: &str = "/api/v1/projects/{projectId}/roles";
/// `PATCH`, `DELETE` one role of a project.
pub const PROJECT_ROLE: &str = "/api/v1/projects/{projectId}/roles/{roleId}";
/// `GET` a role of a project by its slug.
pub const PROJECT_ROLE_BY_SLUG: &str = "/api/v1/projects/{projectId}/roles/slug/{roleSlug}";
/// `GET` one role by id alone.
pub const ROLE: &str = "/api/v1/projects/roles/{roleId}";
/// `GET`, `POST` roles of a project (older route).
pub const WORKSPACE_ROLES_V2: &str = "/api/v2/workspace/{slug}/roles";
/// `PATCH`, `DELETE` one role of a project (older route).
pub const WORKSPACE_ROLE_V2: &str = "/api/v2/workspace/{slug}/roles/{roleId}";
/// `GET` a role of a project by its slug (older route).
pub const WORKSPACE_ROLE_BY_SLUG_V2: &str = "/api/v2/workspace/{slug}/roles/slug/{roleSlug}";
/// `GET`, `POST` roles of a project that is named by its slug (oldest route).
pub const WORKSPACE_ROLES_V1: &str = "/api/v1/workspace/{projectId}/roles";
/// `PATCH`, `DELETE` one role of a project that is named by its slug (oldest route).
pub const WORKSPACE_ROLE_V1: &str = "/api/v1/workspace/{projectId}/roles/{roleId}";
/// `GET` a role of a project that is named by its slug (oldest route).
pub const WORKSPACE_ROLE_BY_SLUG_V1: &str = "/api/v1/workspace/{projectId}/roles/slug/{roleSlug}";

/// `GET` the service token of the request, `POST` a service token.
pub const SERVICE_TOKEN: &str = "/api/v2/service-token";
/// `DELETE` a service token.
pub const SERVICE_TOKEN_BY_ID: &str = "/api/v2/service-token/{serviceTokenId}";
/// `GET` the service tokens of a project.
pub const SERVICE_TOKENS: &str = "/api/v1/workspace/{projectId}/service-token-data";

/// `GET` projects (older route).
pub const WORKSPACES: &str = "/api/v1/workspace";
/// `GET`, `PATCH`, `DELETE` one project (older route).
pub const WORKSPACE: &str = "/api/v1/workspace/{projectId}";
/// `POST` environments (older route).
pub const WORKSPACE_ENVIRONMENTS: &str = "/api/v1/workspace/{projectId}/environments";
/// `GET`, `PATCH`, `DELETE` one environment (older route).
pub const WORKSPACE_ENVIRONMENT: &str =
    "/api/v1/workspace/{projectId}/environments/{environmentId}";
/// `GET` one environment by id alone (older route).
pub const ENVIRONMENT: &str = "/api/v1/workspace/environments/{environmentId}";
/// `GET` user memberships of a project (older route).
pub const WORKSPACE_MEMBERSHIPS: &str = "/api/v1/workspace/{projectId}/memberships";
/// `GET` users of a project (older route).
pub const WORKSPACE_USERS: &str = "/api/v1/workspace/{projectId}/users";
/// `GET` the caller's permissions in a project (older route).
pub const WORKSPACE_PERMISSIONS: &str = "/api/v1/workspace/{projectId}/permissions";
/// `POST` projects (older route).
pub const WORKSPACES_V2: &str = "/api/v2/workspace";
/// `GET`, `DELETE` a project by slug (older route).
pub const WORKSPACE_BY_SLUG: &str = "/api/v2/workspace/{slug}";
/// `GET` identity memberships (older route).
pub const WORKSPACE_IDENTITIES: &str = "/api/v2/workspace/{slug}/identity-memberships";
/// `POST`, `PATCH`, `GET`, `DELETE` an identity's membership (older route).
pub const WORKSPACE_IDENTITY: &str = "/api/v2/workspace/{slug}/identity-memberships/{identityId}";

/// `PATCH`, `DELETE` a person's membership in a project.
pub const PROJECT_MEMBERSHIP: &str = "/api/v1/projects/{projectId}/memberships/{membershipId}";
/// `POST` finds a person's membership in a project.
pub const PROJECT_MEMBERSHIP_DETAILS: &str = "/api/v1/projects/{projectId}/memberships/details";
/// `DELETE` the caller's own membership in a project.
pub const PROJECT_LEAVE: &str = "/api/v1/projects/{projectId}/leave";
/// `PATCH`, `DELETE` a person's membership in a project (older route).
pub const WORKSPACE_MEMBERSHIP: &str = "/api/v1/workspace/{projectId}/memberships/{membershipId}";
/// `POST` finds a person's membership in a project (older route).
pub const WORKSPACE_MEMBERSHIP_DETAILS: &str = "/api/v1/workspace/{projectId}/memberships/details";
/// `DELETE` the caller's own membership in a project (older route).
pub const WORKSPACE_LEAVE: &str = "/api/v1/workspace/{projectId}/leave";
/// `POST`, `DELETE` memberships of people in a project (older route).
pub const WORKSPACE_MEMBERSHIPS_V2: &str = "/api/v2/workspace/{slug}/memberships";

/// `GET`, `POST` folders (v1 spelling of fields).
pub const FOLDERS_V1: &str = "/api/v1/folders";
/// `GET`, `PATCH`, `DELETE` a folder (v1).
pub const FOLDER_V1: &str = "/api/v1/folders/{folderIdOrName}";
/// `PATCH` many folders (v1).
pub const FOLDERS_BATCH_V1: &str = "/api/v1/folders/batch";
/// `GET` a folder by project, environment and path (v1).
pub const FOLDER_BY_PATH_V1: &str = "/api/v1/folders/{projectId}/{environment}/{path}";
/// `GET`, `POST` folders.
pub const FOLDERS: &str = "/api/v2/folders";
/// `GET`, `PATCH`, `DELETE` a folder.
pub const FOLDER: &str = "/api/v2/folders/{folderIdOrName}";
/// `PATCH` many folders.
pub const FOLDERS_BATCH: &str = "/api/v2/folders/batch";

/// `GET` secrets of a path.
pub const SECRETS: &str = "/api/v4/secrets";
/// `GET`, `POST`, `PATCH`, `DELETE` one secret.
pub const SECRET: &str = "/api/v4/secrets/{secretName}";
/// `GET` one secret by id.
pub const SECRET_BY_ID: &str = "/api/v4/secrets/id/{secretId}";
/// `POST`, `PATCH`, `DELETE` many secrets.
pub const SECRETS_BATCH: &str = "/api/v4/secrets/batch";
/// `GET` secrets of a path (v3).
pub const SECRETS_V3: &str = "/api/v3/secrets/raw";
/// `GET`, `POST`, `PATCH`, `DELETE` one secret (v3).
pub const SECRET_V3: &str = "/api/v3/secrets/raw/{secretName}";
/// `GET` one secret by id (v3).
pub const SECRET_BY_ID_V3: &str = "/api/v3/secrets/raw/id/{secretId}";
/// `POST`, `PATCH`, `DELETE` many secrets (v3).
pub const SECRETS_BATCH_V3: &str = "/api/v3/secrets/batch/raw";
/// `GET` tells when the answer to a list of secrets changes; ours alone.
pub const SECRET_EVENTS: &str = "/api/v1/events/secrets";
/// `GET` versions of a secret.
pub const SECRET_VERSIONS: &str = "/api/v1/secret/{secretId}/secret-versions";
/// `POST` takes a secret back to one of its versions.
pub const SECRET_ROLLBACK: &str = "/api/v1/secret/{secretId}/rollback";
/// `GET` what a folder held at a point in time.
pub const SECRETS_AT: &str = "/api/v1/secret/point-in-time";
/// `POST` moves secrets to another folder.
pub const SECRETS_MOVE: &str = "/api/v4/secrets/move";
/// `POST` moves secrets to another folder (v3).
pub const SECRETS_MOVE_V3: &str = "/api/v3/secrets/move";
/// `POST` copies secrets, or a folder, to another folder.
pub const SECRETS_DUPLICATE: &str = "/api/v4/secrets/duplicate";
/// `POST`, `DELETE` tags of a secret by their slugs (v3).
pub const SECRET_TAGS_V3: &str = "/api/v3/secrets/tags/{secretName}";

/// `GET`, `POST` tags of a project.
pub const TAGS: &str = "/api/v1/projects/{projectId}/tags";
/// `GET`, `PATCH`, `DELETE` a tag.
pub const TAG: &str = "/api/v1/projects/{projectId}/tags/{tagId}";
/// `GET` a tag by its slug.
pub const TAG_BY_SLUG: &str = "/api/v1/projects/{projectId}/tags/slug/{slug}";
/// `GET`, `POST` tags of a project (older route).
pub const WORKSPACE_TAGS: &str = "/api/v1/workspace/{projectId}/tags";
/// `GET`, `PATCH`, `DELETE` a tag (older route).
pub const WORKSPACE_TAG: &str = "/api/v1/workspace/{projectId}/tags/{tagId}";
/// `GET` a tag by its slug (older route).
pub const WORKSPACE_TAG_BY_SLUG: &str = "/api/v1/workspace/{projectId}/tags/slug/{slug}";

/// `GET` which secrets depend on a secret.
pub const SECRET_DEPENDENCY_TREE: &str = "/api/v4/secrets/{secretName}/reference-dependency-tree";
/// `GET` which secrets a secret refers to.
pub const SECRET_REFERENCE_TREE: &str = "/api/v4/secrets/{secretName}/secret-reference-tree";
/// `GET` which secrets a secret refers to (v3).
pub const SECRET_REFERENCE_TREE_V3: &str = "/api/v3/secrets/raw/{secretName}/secret-reference-tree";

/// `GET`, `POST` imports of a folder.
pub const SECRET_IMPORTS: &str = "/api/v2/secret-imports";
/// `GET`, `PATCH`, `DELETE` one import.
pub const SECRET_IMPORT: &str = "/api/v2/secret-imports/{secretImportId}";
/// `GET` what the imports of a folder bring in.
pub const SECRET_IMPORTS_SECRETS: &str = "/api/v2/secret-imports/secrets";
/// `GET`, `POST` imports of a folder (v1).
pub const SECRET_IMPORTS_V1: &str = "/api/v1/secret-imports";
/// `GET`, `PATCH`, `DELETE` one import (v1).
pub const SECRET_IMPORT_V1: &str = "/api/v1/secret-imports/{secretImportId}";
/// `GET` what the imports of a folder bring in (v1).
pub const SECRET_IMPORTS_SECRETS_V1: &str = "/api/v1/secret-imports/secrets";
/// `GET` what the imports of a folder bring in (v1).
pub const SECRET_IMPORTS_RAW_V1: &str = "/api/v1/secret-imports/secrets/raw";
