-- Version 14: runs that are unavailable according to other homes, which wrote that into a bucket.

-- Nothing here was found out by this home: such a run is not requested again for nothing, and --force requests it.
CREATE TABLE claimed_absences (
    name    TEXT NOT NULL,
    profile TEXT NOT NULL,
    reason  TEXT NOT NULL,
    at      REAL NOT NULL,   -- when the other home found it out
    origin  TEXT NOT NULL,   -- the URL of the table that says so
    PRIMARY KEY (name, profile)
) WITHOUT ROWID, STRICT;
CREATE INDEX claimed_absences_by_origin ON claimed_absences (origin);
