-- Links to a file or a folder for people who have no name here. `kind` is `file` or `directory`.
CREATE TABLE share (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    password TEXT,
    created BIGINT NOT NULL,
    expires BIGINT,
    download_limit BIGINT,
    downloads BIGINT NOT NULL,
    last_download BIGINT
);
CREATE INDEX share_owner ON share (owner);
