-- Single sign-on: the identity provider of an organization, who is known there as whom, and which
-- sessions rest on its word. Times are microseconds since the epoch.

-- At most one for each root organization.
CREATE TABLE identity_providers (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL UNIQUE REFERENCES organizations (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    -- The client secret, sealed under the organization's key.
    sealed BYTEA NOT NULL,
    -- Where it is reached and how it signs, as JSON.
    config TEXT NOT NULL,
    -- The domains of the addresses that it may vouch for, as a JSON list.
    email_domains TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
);

-- The same domains, to be found by; what counts is the list above.
CREATE TABLE identity_provider_domains (
    provider_id UUID NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
    domain TEXT NOT NULL,
    PRIMARY KEY (provider_id, domain)
);
CREATE INDEX identity_provider_domains_domain ON identity_provider_domains (domain);

-- Whose account a subject of an issuer is. Each provider has links of its own: what one
-- organization's provider says about somebody is nothing to another's.
CREATE TABLE identity_provider_links (
    provider_id UUID NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    PRIMARY KEY (provider_id, issuer, subject)
);
CREATE INDEX identity_provider_links_user ON identity_provider_links (user_id);

-- The provider whose word a session rests on; none where the person logged in themselves.
ALTER TABLE user_sessions ADD COLUMN provider_id UUID;
CREATE INDEX user_sessions_provider ON user_sessions (provider_id);

ALTER TABLE organizations ADD COLUMN auth_enforced BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE organizations ADD COLUMN bypass_org_auth BOOLEAN NOT NULL DEFAULT FALSE;
