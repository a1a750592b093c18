-- Service tokens: access to folders of one project without an identity. Times are microseconds
-- since the epoch, JSON is text.

CREATE TABLE service_tokens (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Environments and folders, as JSON.
    scopes TEXT NOT NULL,
    -- `read` and `write`, as JSON.
    permissions TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    expires_at BIGINT,
    created_by UUID NOT NULL,
    last_used_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
);
CREATE INDEX service_tokens_project ON service_tokens (project_id, created_at);
