-- Version 5: an index for a million jobs, and a record of repairs.

-- Finds the newest jobs of a state without sorting them all.
CREATE INDEX jobs_in_state ON jobs (state, id);

-- Repairs of the ledger and the store by `wort doctor --repair`.
CREATE TABLE repairs (
    id   INTEGER PRIMARY KEY,
    at   REAL    NOT NULL,
    name TEXT    NOT NULL DEFAULT '',  -- of the signature; '' if the repair concerns none
    what TEXT    NOT NULL
) STRICT;
CREATE INDEX repairs_by_name ON repairs (name) WHERE name <> '';
