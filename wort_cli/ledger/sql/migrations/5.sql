-- Version 5 of the ledger: what a million jobs need, and a record of what was mended.

-- The newest jobs of a state, without sorting all of them.
CREATE INDEX jobs_in_state ON jobs (state, id);

-- What `wort doctor --repair` did to the ledger and the store, and why.
CREATE TABLE repairs (
    id   INTEGER PRIMARY KEY,
    at   REAL    NOT NULL,
    name TEXT    NOT NULL DEFAULT '',  -- of the signature, '' if it is about none
    what TEXT    NOT NULL
) STRICT;
CREATE INDEX repairs_by_name ON repairs (name) WHERE name <> '';
