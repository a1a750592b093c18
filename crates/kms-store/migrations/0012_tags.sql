-- Tags of projects. Which tags a secret has is sealed with its value, version by version. Times are
-- microseconds since the epoch.

CREATE TABLE tags (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    -- What permission rules speak of.
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    color TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    UNIQUE (project_id, slug)
);

-- What a folder held at a point in time.
CREATE INDEX secret_versions_folder ON secret_versions (folder_id);
