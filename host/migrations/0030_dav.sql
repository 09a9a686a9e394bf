-- What WebDAV keeps of resources. A file and a folder of one path are two, so the kind is part of every key. The
-- parent of the root is `/`, which is no path.
CREATE TABLE dav_property (
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    parent TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The whole element, with all namespaces that it uses.
    value TEXT NOT NULL,
    PRIMARY KEY (path, kind, namespace, name)
);

CREATE INDEX dav_property_parent ON dav_property (parent);

CREATE TABLE dav_lock (
    token TEXT NOT NULL PRIMARY KEY,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    exclusive BIGINT NOT NULL,
    -- Whether all below the path is locked as well.
    deep BIGINT NOT NULL,
    -- What the client says of the owner, as XML.
    owner TEXT NOT NULL,
    -- The user who made it; empty for one who did not say.
    holder TEXT NOT NULL,
    -- Granted for so many seconds.
    seconds BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
