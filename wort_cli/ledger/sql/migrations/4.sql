-- Version 4: crashes of the daemon are counted, and groups can be paused.

ALTER TABLE jobs ADD COLUMN crashes      INTEGER NOT NULL DEFAULT 0;  -- consecutive crashes of the daemon while the job ran
ALTER TABLE jobs ADD COLUMN crashes_work INTEGER NOT NULL DEFAULT 0;  -- finished work at the last of them
ALTER TABLE jobs ADD COLUMN held         INTEGER NOT NULL DEFAULT 0;  -- 1: the job must not start, because its group is paused

-- This index has no jobs of paused groups, so finding the next job does not depend on their number.
DROP INDEX jobs_to_run;
CREATE INDEX jobs_to_run ON jobs (priority DESC, id) WHERE state = 'queued' AND held = 0;

CREATE TABLE paused_groups (name TEXT PRIMARY KEY CHECK (name <> '')) WITHOUT ROWID, STRICT;

CREATE TRIGGER a_group_was_paused AFTER INSERT ON paused_groups
BEGIN UPDATE jobs SET held = 1 WHERE group_name = NEW.name AND group_name <> '' AND state <> 'done'; END;

CREATE TRIGGER a_group_was_resumed AFTER DELETE ON paused_groups
BEGIN UPDATE jobs SET held = 0 WHERE group_name = OLD.name AND group_name <> '' AND held = 1; END;

CREATE TRIGGER a_job_was_added_to_a_group AFTER INSERT ON jobs
WHEN EXISTS (SELECT 1 FROM paused_groups WHERE name = NEW.group_name)
BEGIN UPDATE jobs SET held = 1 WHERE id = NEW.id; END;

CREATE TRIGGER a_job_changed_its_group AFTER UPDATE OF group_name ON jobs WHEN NEW.group_name <> OLD.group_name
BEGIN UPDATE jobs SET held = EXISTS (SELECT 1 FROM paused_groups WHERE name = NEW.group_name) WHERE id = NEW.id; END;
