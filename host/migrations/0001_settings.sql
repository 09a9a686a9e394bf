-- SQLite and PostgreSQL read the same files, so columns are TEXT and BIGINT alone: what is binary is base64, instants
-- are milliseconds since 1970.
CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
