-- Version 1: jobs, their events, the catalog of signatures.
--
-- The rules for jobs are defined here only: which transitions are legal, that each writes an event, that a signature has
-- at most one live job, and that an accepted job is never deleted (version 8: unless it has ended).  Triggers enforce them for every writer.

CREATE TABLE jobs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,             -- of the signature: an accession or a local name
    profile    TEXT    NOT NULL,
    archive    TEXT    NOT NULL DEFAULT '',  -- path of a local archive; '' for a run by accession
    state      TEXT    NOT NULL DEFAULT 'queued',
    reason     TEXT    NOT NULL DEFAULT '',  -- why the job is waiting, failed or unavailable
    message    TEXT    NOT NULL DEFAULT '',
    priority   INTEGER NOT NULL DEFAULT 0,   -- jobs with a higher priority start first
    group_name TEXT    NOT NULL DEFAULT '',
    force      INTEGER NOT NULL DEFAULT 0,
    engine     TEXT    NOT NULL DEFAULT '',  -- the requested engine; '' for the one in the settings
    attempt    INTEGER NOT NULL DEFAULT 0,   -- how often the job was started; fences late results
    owner      TEXT    NOT NULL DEFAULT '',  -- the process that runs the job
    lease_until REAL,                        -- the job is abandoned if its owner is silent until then
    wait_until  REAL,
    created_at  REAL   NOT NULL,
    started_at  REAL,
    ended_at    REAL
) STRICT;

CREATE UNIQUE INDEX jobs_one_live ON jobs (name, profile) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX jobs_by_name    ON jobs (name, profile, id);
CREATE INDEX jobs_by_state   ON jobs (state, reason);
CREATE INDEX jobs_by_group   ON jobs (group_name, state) WHERE group_name <> '';
CREATE INDEX jobs_to_run     ON jobs (priority DESC, id) WHERE state = 'queued';
CREATE INDEX jobs_running    ON jobs (owner) WHERE state = 'running';
CREATE INDEX jobs_to_wake    ON jobs (wait_until) WHERE state = 'waiting';

CREATE TABLE legal_moves (before TEXT, after TEXT, PRIMARY KEY (before, after)) WITHOUT ROWID, STRICT;
INSERT INTO legal_moves VALUES
    ('queued',  'running'),
    ('running', 'done'), ('running', 'failed'), ('running', 'unavailable'),
    ('running', 'queued'),                                                      -- lease expired, interrupted
    ('running', 'waiting'), ('waiting', 'queued'),                              -- the failure may pass
    ('queued', 'cancelled'), ('running', 'cancelled'), ('waiting', 'cancelled'),
    ('failed', 'queued'), ('unavailable', 'queued'), ('cancelled', 'queued');   -- retry

CREATE TABLE events (
    id      INTEGER PRIMARY KEY,
    job_id  INTEGER NOT NULL REFERENCES jobs (id),
    at      REAL    NOT NULL,
    before  TEXT    NOT NULL,
    after   TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    message TEXT    NOT NULL,
    attempt INTEGER NOT NULL
) STRICT;
CREATE INDEX events_of_job ON events (job_id);

CREATE TRIGGER a_job_begins_queued BEFORE INSERT ON jobs WHEN NEW.state <> 'queued'
BEGIN SELECT RAISE(ABORT, 'a job begins queued'); END;

-- INSERT OR REPLACE would delete a conflicting row without firing the DELETE trigger.
CREATE TRIGGER a_job_replaces_none BEFORE INSERT ON jobs
WHEN EXISTS (SELECT 1 FROM jobs WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM jobs WHERE name = NEW.name AND profile = NEW.profile
                                  AND state IN ('queued', 'running', 'waiting'))
BEGIN SELECT RAISE(ABORT, 'a job replaces no other'); END;

CREATE TRIGGER a_job_moves_legally BEFORE UPDATE OF state ON jobs
WHEN NEW.state <> OLD.state
 AND NOT EXISTS (SELECT 1 FROM legal_moves WHERE before = OLD.state AND after = NEW.state)
BEGIN SELECT RAISE(ABORT, 'illegal move of a job'); END;

CREATE TRIGGER a_job_stays BEFORE DELETE ON jobs
BEGIN SELECT RAISE(ABORT, 'a job is never deleted'); END;

CREATE TRIGGER a_job_was_added AFTER INSERT ON jobs
BEGIN
    INSERT INTO events (job_id, at, before, after, reason, message, attempt)
    VALUES (NEW.id, NEW.created_at, '', NEW.state, '', '', 0);
END;

CREATE TRIGGER a_job_moved AFTER UPDATE OF state ON jobs WHEN NEW.state <> OLD.state
BEGIN
    INSERT INTO events (job_id, at, before, after, reason, message, attempt)
    VALUES (NEW.id, (julianday('now') - 2440587.5) * 86400.0, OLD.state, NEW.state, NEW.reason, NEW.message, NEW.attempt);
    DELETE FROM progress WHERE job_id = NEW.id;
END;

-- The progress of running jobs.
CREATE TABLE progress (
    job_id      INTEGER PRIMARY KEY REFERENCES jobs (id),
    stage       TEXT    NOT NULL,
    spots       INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    bases       INTEGER NOT NULL,
    reported_at REAL    NOT NULL
) STRICT;

-- The catalog: the signature of each name and profile.
CREATE TABLE signatures (
    name       TEXT    NOT NULL,
    profile    TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    trust      TEXT    NOT NULL,
    path       TEXT    NOT NULL,   -- relative to the store's root
    size       INTEGER NOT NULL,   -- bytes
    created_at REAL    NOT NULL,
    provenance TEXT    NOT NULL,   -- JSON
    PRIMARY KEY (name, profile)
) STRICT;

-- Settings made with `wort daemon pause` and `wort daemon jobs`, and notes of the daemon (ledger/controls.py).
CREATE TABLE control (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
