-- Version 15: profiles that were used, and jobs of several profiles that are sketched in one pass.

-- What a profile was when it was used first.  It never changes: signatures were made with it.
CREATE TABLE profiles (
    name       TEXT PRIMARY KEY,
    definition TEXT NOT NULL,   -- JSON, with the keys of config.toml
    sha256     TEXT NOT NULL,   -- of the definition; it is in the provenance of each signature
    used_at    REAL NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TRIGGER a_used_profile_never_changes BEFORE UPDATE ON profiles
WHEN NEW.name <> OLD.name OR NEW.definition <> OLD.definition OR NEW.sha256 <> OLD.sha256
BEGIN
    SELECT RAISE(ABORT, 'a profile that was used never changes');
END;

-- The job whose pass sketches this one too, as long as that has not ended; 0: the job may start.
ALTER TABLE jobs ADD COLUMN behind INTEGER NOT NULL DEFAULT 0;

DROP INDEX jobs_to_run;
CREATE INDEX jobs_to_run ON jobs (priority DESC, id) WHERE state = 'queued' AND held = 0 AND behind = 0;
CREATE INDEX jobs_behind ON jobs (behind) WHERE behind > 0;

CREATE TRIGGER a_pass_has_ended AFTER UPDATE OF state ON jobs WHEN NEW.state NOT IN ('queued', 'running', 'waiting')
BEGIN
    UPDATE jobs SET behind = 0 WHERE behind = NEW.id AND behind > 0;
END;

CREATE TRIGGER the_job_of_a_pass_was_deleted AFTER DELETE ON jobs
BEGIN
    UPDATE jobs SET behind = 0 WHERE behind = OLD.id AND behind > 0;
END;
