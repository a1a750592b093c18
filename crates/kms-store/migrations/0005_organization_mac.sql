-- Organizations decide who gives a second factor and how long logins last, so their rows are
-- authenticated. Those of before are from their next change on; what their key is wrapped for
-- says that they are of before.

ALTER TABLE organizations ADD COLUMN mac BYTEA NOT NULL DEFAULT '';
