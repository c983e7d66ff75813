-- Version 3 of the ledger: signatures that were handed in, and jobs that verify.
--
-- A job is of a kind: it computes a signature, or verifies one that stands in the store.  There is one live job for
-- each name, profile and kind, and of verifications one for each signature.

ALTER TABLE jobs ADD COLUMN kind           TEXT NOT NULL DEFAULT 'compute';
ALTER TABLE jobs ADD COLUMN depth          TEXT NOT NULL DEFAULT '';  -- of a verification: full or quick
ALTER TABLE jobs ADD COLUMN subject        TEXT NOT NULL DEFAULT '';  -- path of what is verified, below the store's root
ALTER TABLE jobs ADD COLUMN subject_digest TEXT NOT NULL DEFAULT '';  -- what is recorded of it
ALTER TABLE jobs ADD COLUMN verdict        TEXT NOT NULL DEFAULT '';  -- the trust that it found
ALTER TABLE jobs ADD COLUMN report         TEXT NOT NULL DEFAULT '';  -- the whole verdict, JSON

DROP INDEX jobs_one_live;
CREATE UNIQUE INDEX jobs_one_live ON jobs (name, profile, kind, subject)
    WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX jobs_by_subject ON jobs (subject, id) WHERE subject <> '';

DROP TRIGGER a_job_replaces_none;
CREATE TRIGGER a_job_replaces_none BEFORE INSERT ON jobs
WHEN EXISTS (SELECT 1 FROM jobs WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM jobs WHERE name = NEW.name AND profile = NEW.profile
                                  AND kind = NEW.kind AND subject = NEW.subject
                                  AND state IN ('queued', 'running', 'waiting'))
BEGIN SELECT RAISE(ABORT, 'a job replaces no other'); END;

-- What was handed in: one row for each content and name.
CREATE TABLE submissions (
    name         TEXT    NOT NULL,
    profile      TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    trust        TEXT    NOT NULL,
    path         TEXT    NOT NULL UNIQUE,  -- of the original bytes, below the store's root
    size         INTEGER NOT NULL,
    sha256       TEXT    NOT NULL,         -- of the original bytes
    submitter    TEXT    NOT NULL,
    submitted_at REAL    NOT NULL,
    origin       TEXT    NOT NULL,         -- the file or URL that it came as
    url          TEXT    NOT NULL,         -- where the data are said to be
    source_check TEXT    NOT NULL,
    source_note  TEXT    NOT NULL,
    why          TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (digest, name)
) STRICT;
CREATE INDEX submissions_by_name ON submissions (name, profile);

CREATE TRIGGER a_submission_stays BEFORE DELETE ON submissions
BEGIN SELECT RAISE(ABORT, 'a submission is never deleted'); END;

-- What the public archives answered about runs.
CREATE TABLE lookups (
    accession TEXT    NOT NULL PRIMARY KEY,
    known     INTEGER NOT NULL,
    note      TEXT    NOT NULL,
    asked_at  REAL    NOT NULL
) WITHOUT ROWID, STRICT;
