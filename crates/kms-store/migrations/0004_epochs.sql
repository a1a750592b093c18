-- How often something changed that replicas remember, so that each can ask in one small query
-- whether what it remembers is still what is stored. The nil UUID stands for everything that
-- decides who may; a project's id for what the project holds.
CREATE TABLE epochs (
    scope UUID PRIMARY KEY,
    value BIGINT NOT NULL
);
