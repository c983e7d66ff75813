-- Version 3: submitted signatures, and jobs that verify signatures.
--
-- A job computes a signature, or verifies one in the store (`kind`).  At most one job that computes is live for each
-- name and profile, and at most one that verifies for each signature.

ALTER TABLE jobs ADD COLUMN kind           TEXT NOT NULL DEFAULT 'compute';
ALTER TABLE jobs ADD COLUMN depth          TEXT NOT NULL DEFAULT '';  -- 'full' or 'quick' for a verification
ALTER TABLE jobs ADD COLUMN subject        TEXT NOT NULL DEFAULT '';  -- path of the verified signature, relative to the store's root
ALTER TABLE jobs ADD COLUMN subject_digest TEXT NOT NULL DEFAULT '';  -- its recorded digest
ALTER TABLE jobs ADD COLUMN verdict        TEXT NOT NULL DEFAULT '';  -- the trust that the verification found
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

-- Submissions: one row for each digest and name.
CREATE TABLE submissions (
    name         TEXT    NOT NULL,
    profile      TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    trust        TEXT    NOT NULL,
    path         TEXT    NOT NULL UNIQUE,  -- of the submitted file, relative to the store's root
    size         INTEGER NOT NULL,
    sha256       TEXT    NOT NULL,         -- of the submitted file
    submitter    TEXT    NOT NULL,
    submitted_at REAL    NOT NULL,
    origin       TEXT    NOT NULL,         -- the file or URL that was submitted
    url          TEXT    NOT NULL,         -- where the submitter says the data are
    source_check TEXT    NOT NULL,
    source_note  TEXT    NOT NULL,
    why          TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (digest, name)
) STRICT;
CREATE INDEX submissions_by_name ON submissions (name, profile);

CREATE TRIGGER a_submission_stays BEFORE DELETE ON submissions
BEGIN SELECT RAISE(ABORT, 'a submission is never deleted'); END;

-- Answers of ENA and NCBI about runs.
CREATE TABLE lookups (
    accession TEXT    NOT NULL PRIMARY KEY,
    known     INTEGER NOT NULL,
    note      TEXT    NOT NULL,
    asked_at  REAL    NOT NULL
) WITHOUT ROWID, STRICT;
