-- API tokens. Of the secret, only its SHA-256 is kept. `allow` is JSON, or null for all that the owner may do.
CREATE TABLE token (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    allow TEXT,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used BIGINT
);
CREATE INDEX token_owner ON token (owner);
