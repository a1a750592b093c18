-- Roles that a project makes itself. Times are microseconds since the epoch, JSON is text.

CREATE TABLE project_roles (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    -- The rules, as JSON.
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    UNIQUE (project_id, slug)
);

-- A membership names such a role by its id; one that is named cannot be deleted.
ALTER TABLE project_membership_roles
    ADD COLUMN custom_role_id UUID REFERENCES project_roles (id);
-- The rules of several roles are read in this order.
ALTER TABLE project_membership_roles ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
CREATE INDEX project_membership_roles_custom ON project_membership_roles (custom_role_id);

-- Over name and metadata, which rules may refer to; null for what was written before they could.
ALTER TABLE identities ADD COLUMN facts_mac BYTEA;
