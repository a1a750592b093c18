-- Rules know a secret by its name, and the newest version is the one that counts, so both rows are
-- authenticated. Those of before are from their next change on; what their value is sealed to says
-- that they are of before.

ALTER TABLE secrets ADD COLUMN mac BYTEA NOT NULL DEFAULT '';
ALTER TABLE secret_versions ADD COLUMN mac BYTEA NOT NULL DEFAULT '';
