-- One file for SQLite and PostgreSQL. Times are microseconds since the epoch, JSON is text,
-- the nil UUID stands where a unique index needs a value instead of NULL.

CREATE TABLE instance (
    id BIGINT PRIMARY KEY,
    instance_id UUID NOT NULL,
    root_fingerprint TEXT NOT NULL,
    initialized BOOLEAN NOT NULL,
    setup_token_hash BYTEA,
    created_at BIGINT NOT NULL
);

CREATE TABLE instance_keys (
    purpose TEXT NOT NULL,
    version BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (purpose, version)
);

CREATE TABLE organizations (
    id UUID PRIMARY KEY,
    parent_id UUID REFERENCES organizations (id) ON DELETE CASCADE,
    root_id UUID REFERENCES organizations (id) ON DELETE CASCADE,
    -- The tree in which the slug is unique: the root's id, nil for a root itself.
    tree_id UUID NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (tree_id, slug)
);

CREATE TABLE users (
    id UUID PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    password_hash TEXT,
    super_admin BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
);

CREATE TABLE user_sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    access_version BIGINT NOT NULL,
    refresh_version BIGINT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);

CREATE TABLE identities (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    has_delete_protection BOOLEAN NOT NULL,
    metadata TEXT,
    -- Tokens carry the epoch they were issued in; raising it ends them all.
    epoch BIGINT NOT NULL,
    is_instance_admin BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
);
CREATE INDEX identities_org ON identities (org_id, name);

CREATE TABLE organization_memberships (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    principal_kind TEXT NOT NULL,
    principal_id UUID NOT NULL,
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    last_login_method TEXT,
    last_login_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    UNIQUE (org_id, principal_id, principal_kind)
);
CREATE INDEX organization_memberships_principal ON organization_memberships (principal_id);

-- One row per auth method of an identity; what only one method has is in `config`.
CREATE TABLE identity_auth_methods (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    identity_id UUID NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
    method TEXT NOT NULL,
    -- Universal auth is looked up by this before the identity is known.
    client_id UUID UNIQUE,
    access_token_ttl BIGINT NOT NULL,
    access_token_max_ttl BIGINT NOT NULL,
    access_token_uses_limit BIGINT NOT NULL,
    access_token_trusted_ips TEXT NOT NULL,
    config TEXT NOT NULL,
    sealed BYTEA,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    UNIQUE (identity_id, method)
);

CREATE TABLE client_secrets (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    auth_method_id UUID NOT NULL REFERENCES identity_auth_methods (id) ON DELETE CASCADE,
    description TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    uses BIGINT NOT NULL,
    uses_limit BIGINT NOT NULL,
    ttl BIGINT NOT NULL,
    revoked BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_used_at BIGINT,
    mac BYTEA NOT NULL,
    UNIQUE (auth_method_id, secret_hash)
);

-- Wrong client secrets, counted per client id as it was sent and source address. Without a foreign
-- key, so that an unknown client id is counted like a known one and cannot be told from it.
CREATE TABLE login_lockouts (
    client_id UUID NOT NULL,
    source TEXT NOT NULL,
    failed BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, source)
);
CREATE INDEX login_lockouts_expiry ON login_lockouts (expires_at);

-- Named tokens of token auth; logins leave no row here.
CREATE TABLE token_auth_tokens (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    identity_id UUID NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
    name TEXT,
    ttl BIGINT NOT NULL,
    max_ttl BIGINT NOT NULL,
    uses_limit BIGINT NOT NULL,
    revoked BOOLEAN NOT NULL,
    last_used_at BIGINT,
    last_renewed_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX token_auth_tokens_identity ON token_auth_tokens (identity_id, created_at);

-- Revoked tokens, until they would have expired anyway.
CREATE TABLE revoked_tokens (
    token_id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    identity_id UUID NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at);

-- Tokens with a use limit: what is left of it, until they expire.
CREATE TABLE token_uses (
    token_id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    remaining BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX token_uses_expiry ON token_uses (expires_at);

CREATE TABLE projects (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    description TEXT,
    auto_capitalization BOOLEAN NOT NULL,
    has_delete_protection BOOLEAN NOT NULL,
    secret_sharing BOOLEAN NOT NULL,
    pit_version_limit BIGINT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (org_id, slug)
);

CREATE TABLE project_memberships (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    principal_kind TEXT NOT NULL,
    principal_id UUID NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    UNIQUE (project_id, principal_id, principal_kind)
);
CREATE INDEX project_memberships_principal ON project_memberships (principal_id);

CREATE TABLE project_membership_roles (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    membership_id UUID NOT NULL REFERENCES project_memberships (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    is_temporary BOOLEAN NOT NULL,
    temporary_range TEXT,
    starts_at BIGINT,
    ends_at BIGINT,
    created_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
);
CREATE INDEX project_membership_roles_membership ON project_membership_roles (membership_id);

CREATE TABLE environments (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    position BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (project_id, slug)
);

CREATE TABLE folders (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    project_id UUID NOT NULL,
    env_id UUID NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    parent_id UUID REFERENCES folders (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- The absolute path, kept with every rename, so that finding a folder is one index look-up.
    path TEXT NOT NULL,
    description TEXT,
    version BIGINT NOT NULL,
    last_secret_modified BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (env_id, path)
);
CREATE INDEX folders_parent ON folders (parent_id);

CREATE TABLE secrets (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    project_id UUID NOT NULL,
    env_id UUID NOT NULL,
    folder_id UUID NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Nil for a shared secret, the user for a personal override.
    owner_id UUID NOT NULL,
    version BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    skip_multiline_encoding BOOLEAN,
    reminder_note TEXT,
    reminder_days BIGINT,
    actor_kind TEXT NOT NULL,
    actor_id UUID,
    -- What the writer was called at the time.
    actor_name TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (folder_id, name, owner_id)
);

CREATE TABLE secret_versions (
    secret_id UUID NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    org_id UUID NOT NULL,
    project_id UUID NOT NULL,
    env_id UUID NOT NULL,
    folder_id UUID NOT NULL,
    name TEXT NOT NULL,
    owner_id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    skip_multiline_encoding BOOLEAN,
    actor_kind TEXT NOT NULL,
    actor_id UUID,
    -- What the writer was called at the time.
    actor_name TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (secret_id, version)
);

CREATE TABLE audit_logs (
    org_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    id UUID NOT NULL,
    created_at BIGINT NOT NULL,
    project_id UUID,
    actor_type TEXT NOT NULL,
    actor_id UUID,
    actor_metadata TEXT NOT NULL,
    event_type TEXT NOT NULL,
    event_metadata TEXT NOT NULL,
    environment TEXT,
    secret_path TEXT,
    secret_key TEXT,
    ip TEXT,
    user_agent TEXT,
    user_agent_type TEXT,
    chain BYTEA NOT NULL,
    PRIMARY KEY (org_id, seq)
);
CREATE INDEX audit_logs_time ON audit_logs (org_id, created_at);

-- The newest link of every organization's chain.
CREATE TABLE audit_chains (
    org_id UUID PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
