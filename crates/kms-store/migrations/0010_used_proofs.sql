-- Proofs of machine logins that anybody who saw them could send again, until nobody would believe
-- them any more. Times are microseconds since the epoch.
CREATE TABLE used_proofs (
    -- Names the proof.
    id TEXT PRIMARY KEY,
    -- Who sent it: a client that lost the answer may send it once more for some seconds.
    peer TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_proofs_expiry ON used_proofs (expires_at);
