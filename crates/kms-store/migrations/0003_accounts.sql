-- What organizations ask of their members, what the instance allows to strangers, and what is
-- proved by mail. Times are microseconds since the epoch.

ALTER TABLE organizations ADD COLUMN default_role TEXT NOT NULL DEFAULT 'member';
ALTER TABLE organizations ADD COLUMN enforce_mfa BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE organizations ADD COLUMN selected_mfa_method TEXT;
ALTER TABLE organizations ADD COLUMN user_token_expiration TEXT;

-- At most one row; without it the defaults hold.
CREATE TABLE instance_settings (
    id BIGINT PRIMARY KEY,
    allow_sign_up BOOLEAN NOT NULL,
    allowed_sign_up_domain TEXT,
    updated_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
);

-- What was mailed to an address, so that whoever has it can show that they read the mail there.
-- Without foreign keys: an address that nobody has is treated like one that somebody has.
CREATE TABLE mailed_proofs (
    purpose TEXT NOT NULL,
    address TEXT NOT NULL,
    -- The organization of an invitation, nil for all else.
    org_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    code_hash BYTEA,
    -- What is left for this code.
    tries BIGINT NOT NULL,
    -- Whether it went by mail, or was handed to somebody else to pass on.
    mailed BOOLEAN NOT NULL,
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Wrong codes of this address, however many codes were mailed, until the window ends.
    failed BIGINT NOT NULL,
    window_ends_at BIGINT NOT NULL,
    PRIMARY KEY (purpose, address, org_id)
);
CREATE INDEX mailed_proofs_expiry ON mailed_proofs (expires_at);
