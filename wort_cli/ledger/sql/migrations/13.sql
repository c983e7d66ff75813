-- Version 13: what is known of runs, and why a job was requested.

-- What ENA, NCBI or a table of the user says of a run.  '' and NULL stand for what is not known.
CREATE TABLE runs (
    run        TEXT PRIMARY KEY,
    project    TEXT NOT NULL,
    study      TEXT NOT NULL,
    experiment TEXT NOT NULL,
    sample     TEXT NOT NULL,
    biosample  TEXT NOT NULL,
    taxid      INTEGER,
    organism   TEXT NOT NULL,
    strategy   TEXT NOT NULL,
    source     TEXT NOT NULL,
    selection  TEXT NOT NULL,
    layout     TEXT NOT NULL,
    platform   TEXT NOT NULL,
    model      TEXT NOT NULL,
    spots      INTEGER,
    bases      INTEGER,
    bytes      INTEGER,
    released   TEXT NOT NULL,   -- YYYY-MM-DD
    updated    TEXT NOT NULL,   -- YYYY-MM-DD
    origin     TEXT NOT NULL,   -- where this was learned: 'ENA', 'NCBI', 'ENA, NCBI', or the name of a table
    learned_at REAL NOT NULL
) WITHOUT ROWID, STRICT;

-- The project, or the query, that selected a run; '' if the run was named.
ALTER TABLE jobs ADD COLUMN selected_by TEXT NOT NULL DEFAULT '';

DROP TRIGGER a_job_was_added;
CREATE TRIGGER a_job_was_added AFTER INSERT ON jobs
BEGIN
    INSERT INTO events (job_id, at, before, after, reason, message, attempt)
    VALUES (NEW.id, NEW.created_at, '', NEW.state, '',
            CASE WHEN NEW.selected_by = '' THEN '' ELSE 'selected by ' || NEW.selected_by END, 0);
END;
