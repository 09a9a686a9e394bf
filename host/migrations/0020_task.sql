-- The journal of tasks. `owner` is empty for callers without a name, `destination` for removals, `host` for tasks that
-- nobody works on, and `position` at the beginning.
CREATE TABLE task (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    access TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    is_directory BIGINT NOT NULL,
    replaces BIGINT NOT NULL,
    state TEXT NOT NULL,
    position TEXT NOT NULL,
    items BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    -- Bytes of the step under way that have passed through the host.
    flowing BIGINT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    -- Who works on it, until when nobody else may, and how often somebody began to.
    host TEXT NOT NULL,
    leased_until BIGINT NOT NULL,
    runs BIGINT NOT NULL,
    -- Whether it is to end.
    cancels BIGINT NOT NULL
);

CREATE INDEX task_by_owner ON task (owner, created, id);
CREATE INDEX task_by_state ON task (state, created);
