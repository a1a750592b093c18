-- Passkeys: what people sign in with in place of a password, or give as second factor.
-- Times are microseconds since the epoch.

CREATE TABLE passkeys (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id BYTEA NOT NULL UNIQUE,
    -- The public key, the counter of the device and what else an assertion is checked against; JSON.
    credential TEXT NOT NULL,
    -- The person's word for it.
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    mac BYTEA NOT NULL
);
CREATE INDEX passkeys_user ON passkeys (user_id, created_at);

-- Challenges that were met: each is good once. One that was only asked for leaves nothing behind.
CREATE TABLE passkey_challenges (
    challenge BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX passkey_challenges_expiry ON passkey_challenges (expires_at);
