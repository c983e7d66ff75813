-- Version 19: signatures that were submitted at the page of the server, also those that were refused.

CREATE TABLE intakes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    submitter TEXT NOT NULL,
    origin TEXT NOT NULL,
    received_at REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('checking', 'accepted', 'refused', 'failed')),
    step TEXT NOT NULL DEFAULT '',
    why TEXT NOT NULL DEFAULT '',
    place TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '',
    digest TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL DEFAULT '',
    ended_at REAL
);

CREATE INDEX intakes_by_submitter ON intakes (submitter, number);

-- What has ended does not change.
CREATE TRIGGER intakes_end BEFORE UPDATE ON intakes WHEN old.state != 'checking'
BEGIN SELECT RAISE(ABORT, 'an intake that has ended does not change'); END;
