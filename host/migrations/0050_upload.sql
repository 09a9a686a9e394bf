-- Uploads that can be resumed. `owner` is empty for callers without a name, `length` null as long as the client has not
-- said it, and `holder` empty if nobody works on it.
CREATE TABLE upload (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    path TEXT NOT NULL,
    -- As the client sent it.
    metadata TEXT NOT NULL,
    content_type TEXT,
    modified BIGINT,
    replaces BIGINT NOT NULL,
    length BIGINT,
    -- How the driver takes it in parts; an empty token for one that is written whole.
    token TEXT NOT NULL,
    part_size BIGINT NOT NULL,
    max_parts BIGINT NOT NULL,
    -- The parts that the storage has, and the bytes in them.
    parts BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    -- `open`, `finishing` once the storage was asked to show the file, or `done`.
    state TEXT NOT NULL,
    -- The file's, once it is there.
    etag TEXT,
    expires BIGINT NOT NULL,
    holder TEXT NOT NULL,
    leased_until BIGINT NOT NULL
);

CREATE INDEX upload_by_owner ON upload (owner);
CREATE INDEX upload_by_expires ON upload (expires);

CREATE TABLE upload_part (
    upload TEXT NOT NULL,
    number BIGINT NOT NULL,
    etag TEXT NOT NULL,
    PRIMARY KEY (upload, number)
);
