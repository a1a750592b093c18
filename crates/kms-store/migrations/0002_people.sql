-- People: the state of their accounts, sessions that are refreshed, second factors, and guesses.
-- Times are microseconds since the epoch.

ALTER TABLE users ADD COLUMN is_accepted BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE users ADD COLUMN is_email_verified BOOLEAN NOT NULL DEFAULT FALSE;
-- Sessions carry the epoch they were started in; raising it ends them all.
ALTER TABLE users ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN is_mfa_enabled BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN selected_mfa_method TEXT;

-- Sessions of before had neither an end nor refresh tokens; their people log in once more.
DROP TABLE user_sessions;
CREATE TABLE user_sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_epoch BIGINT NOT NULL,
    auth_method TEXT NOT NULL,
    access_version BIGINT NOT NULL,
    -- The newest generation of refresh tokens, and the token whose use began it; none after a
    -- login or when something else began it. Generations below the floor were set aside.
    refresh_version BIGINT NOT NULL,
    refresh_used UUID,
    refresh_floor BIGINT NOT NULL,
    -- Where it acts, once that was chosen.
    org_id UUID,
    ip TEXT,
    user_agent TEXT,
    -- When the person logged in; a session that was split off another keeps that one's.
    login_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
);
CREATE INDEX user_sessions_user ON user_sessions (user_id, created_at);
CREATE INDEX user_sessions_expiry ON user_sessions (expires_at);

-- Wrong passwords and wrong codes: per account and source, per account, per source, and all of
-- them. The account is a keyed hash and no foreign key, so that an unknown address is counted like
-- a known one and cannot be told from it.
CREATE TABLE login_failures (
    account BYTEA NOT NULL,
    source TEXT NOT NULL,
    failed BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    -- When the failure before the last one was.
    previous_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account, source)
);
CREATE INDEX login_failures_expiry ON login_failures (expires_at);

-- From where a person logged in before: strangers elsewhere cannot keep them out there.
CREATE TABLE user_sources (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, source)
);
CREATE INDEX user_sources_last ON user_sources (last_at);

-- Authenticator apps. The seed is sealed under a key of the instance.
CREATE TABLE user_totp (
    user_id UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed BYTEA NOT NULL,
    is_confirmed BOOLEAN NOT NULL,
    -- The newest time step whose code was accepted; no code of it or of an older one is again.
    last_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE user_recovery_codes (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash BYTEA NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

-- The code that was mailed to a person last.
CREATE TABLE user_mailed_codes (
    user_id UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    code_hash BYTEA NOT NULL,
    tries BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
