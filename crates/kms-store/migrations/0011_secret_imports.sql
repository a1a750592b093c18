-- A folder whose secrets are seen in another. The source is a place, which need not exist: an
-- environment that goes takes its imports along, a folder that goes leaves them empty.

CREATE TABLE secret_imports (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL,
    project_id UUID NOT NULL,
    folder_id UUID NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    source_env_id UUID NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    source_path TEXT NOT NULL,
    -- From 1 without gaps; what stands later wins.
    position BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (folder_id, source_env_id, source_path)
);
CREATE INDEX secret_imports_source ON secret_imports (source_env_id);
