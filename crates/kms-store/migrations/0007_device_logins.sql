-- Logins of devices that have no browser (RFC 8628), and whether an organization lets its members
-- approve them. Times are microseconds since the epoch.

ALTER TABLE organizations ADD COLUMN device_login BOOLEAN NOT NULL DEFAULT TRUE;

-- What asks, what a person answered, and when it asked last. A row lives for minutes, and no
-- longer than until it was redeemed.
CREATE TABLE device_logins (
    id UUID PRIMARY KEY,
    device_hash BYTEA NOT NULL,
    user_hash BYTEA NOT NULL,
    -- What is counted together against too many: one address.
    source TEXT NOT NULL,
    -- What asks, as it is shown to whoever approves.
    host TEXT,
    ip TEXT,
    user_agent TEXT,
    -- Where it wants to act, if it said so.
    org_id UUID,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- `pending`, `approved` or `denied`.
    state TEXT NOT NULL,
    -- What was approved, and the session of the page where.
    user_id UUID REFERENCES users (id) ON DELETE CASCADE,
    session_id UUID,
    root_id UUID,
    sub_id UUID,
    factor TEXT,
    -- Seconds that it has to wait between two questions, and when it asked last.
    poll_seconds BIGINT NOT NULL,
    polled_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
);
CREATE UNIQUE INDEX device_logins_device ON device_logins (device_hash);
CREATE UNIQUE INDEX device_logins_user_code ON device_logins (user_hash);
CREATE INDEX device_logins_source ON device_logins (source);
CREATE INDEX device_logins_expiry ON device_logins (expires_at);
CREATE INDEX device_logins_user ON device_logins (user_id);
