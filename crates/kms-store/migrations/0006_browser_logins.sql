-- Logins of programs that were confirmed in a browser and are had for a code. Times are
-- microseconds since the epoch.

CREATE TABLE authorization_codes (
    code_hash BYTEA PRIMARY KEY,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    -- What the program shows that it has the text for (RFC 7636).
    challenge TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The page's session. No foreign key: a code that was used is remembered without it.
    session_id UUID NOT NULL,
    root_id UUID NOT NULL,
    sub_id UUID,
    factor TEXT,
    expires_at BIGINT NOT NULL,
    -- The session that it was traded for; a code is good for one.
    made_session_id UUID,
    mac BYTEA NOT NULL
);
CREATE INDEX authorization_codes_user ON authorization_codes (user_id);
CREATE INDEX authorization_codes_expiry ON authorization_codes (expires_at);
