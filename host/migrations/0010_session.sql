-- Sessions that were ended before their cookies are no longer good. Instants are in milliseconds since 1970.
CREATE TABLE ended_session (
    id TEXT NOT NULL PRIMARY KEY,
    expires BIGINT NOT NULL
);
