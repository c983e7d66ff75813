-- Version 17: projects and queries that are followed: their new runs are requested.

CREATE TABLE follows (
    id            INTEGER PRIMARY KEY,
    selection     TEXT NOT NULL,      -- the accession, or the query of ENA
    profile       TEXT NOT NULL,
    group_name    TEXT NOT NULL,      -- of the jobs; '' for none
    priority      INTEGER NOT NULL,
    accept_public INTEGER NOT NULL,
    since         TEXT NOT NULL,      -- YYYY-MM-DD: only runs that were released since; '' for all
    most          INTEGER NOT NULL,   -- new runs, at most, that are requested at once
    created_at    REAL NOT NULL,
    next_at       REAL NOT NULL,      -- when the services are asked next
    asked_at      REAL,               -- when they were asked last
    listed_at     REAL,               -- when they listed the runs last
    runs          INTEGER,            -- how many they listed then
    queued        INTEGER NOT NULL DEFAULT 0,   -- jobs that were queued in all
    failures      INTEGER NOT NULL DEFAULT 0,   -- since the last success
    reason        TEXT NOT NULL DEFAULT '',     -- why nothing, or not everything, was listed or requested
    message       TEXT NOT NULL DEFAULT '',
    UNIQUE (selection, profile)
) STRICT;
