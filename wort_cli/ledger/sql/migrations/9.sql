-- Version 9: a group is the list of runs that was requested, whatever the state of each; a run may be in several groups.

-- The members of groups: signatures to compute (`subject` is '') or to verify.  Triggers keep `job_id` and `jobs.held`
-- correct for every writer.
CREATE TABLE group_members (
    group_name TEXT NOT NULL CHECK (group_name <> ''),
    name       TEXT NOT NULL,
    profile    TEXT NOT NULL,
    subject    TEXT NOT NULL DEFAULT '',
    job_id     INTEGER,        -- the newest job; NULL if there is none because the signature was there
    added_at   REAL NOT NULL,
    PRIMARY KEY (group_name, name, profile, subject)
) WITHOUT ROWID, STRICT;
CREATE INDEX members_by_job ON group_members (group_name, job_id);
CREATE INDEX members_by_run ON group_members (name, profile, subject);

INSERT INTO group_members
SELECT group_name, name, profile, subject,
       (SELECT max(id) FROM jobs AS newest
        WHERE newest.name = jobs.name AND newest.profile = jobs.profile AND newest.subject = jobs.subject),
       min(created_at)
FROM jobs WHERE group_name <> '' GROUP BY group_name, name, profile, subject;

DROP TRIGGER a_group_was_paused;
DROP TRIGGER a_group_was_resumed;
DROP TRIGGER a_job_was_added_to_a_group;
DROP TRIGGER a_job_changed_its_group;
DROP INDEX jobs_by_group;
ALTER TABLE jobs DROP COLUMN group_name;

-- Number of members of each group, by the state and reason of their jobs; a member without a job is done.
CREATE TABLE group_counts (
    group_name TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    n          INTEGER NOT NULL,
    PRIMARY KEY (group_name, state, reason)
) WITHOUT ROWID, STRICT;
INSERT INTO group_counts
SELECT group_name, state, reason, count(*) FROM group_members JOIN jobs ON jobs.id = job_id
GROUP BY group_name, state, reason;

CREATE TRIGGER a_new_member_is_counted AFTER INSERT ON group_members
BEGIN
    INSERT INTO group_counts
    SELECT NEW.group_name, coalesce(max(state), 'done'), coalesce(max(reason), ''), 1 FROM jobs WHERE id = NEW.job_id
    ON CONFLICT (group_name, state, reason) DO UPDATE SET n = n + 1;
    UPDATE jobs SET held = 1 WHERE id = NEW.job_id AND state <> 'done'
       AND EXISTS (SELECT 1 FROM paused_groups WHERE name = NEW.group_name);
END;

CREATE TRIGGER a_members_job_is_counted AFTER UPDATE OF job_id ON group_members WHEN NEW.job_id IS NOT OLD.job_id
BEGIN
    UPDATE group_counts SET n = n - 1
    WHERE group_name = OLD.group_name AND state = coalesce((SELECT state FROM jobs WHERE id = OLD.job_id), 'done')
      AND reason = coalesce((SELECT reason FROM jobs WHERE id = OLD.job_id), '');
    INSERT INTO group_counts
    SELECT NEW.group_name, coalesce(max(state), 'done'), coalesce(max(reason), ''), 1 FROM jobs WHERE id = NEW.job_id
    ON CONFLICT (group_name, state, reason) DO UPDATE SET n = n + 1;
    UPDATE jobs SET held = 1 WHERE id = NEW.job_id AND state <> 'done'
       AND EXISTS (SELECT 1 FROM paused_groups WHERE name = NEW.group_name);
END;

CREATE TRIGGER a_former_member_is_not_counted AFTER DELETE ON group_members
BEGIN
    UPDATE group_counts SET n = n - 1
    WHERE group_name = OLD.group_name AND state = coalesce((SELECT state FROM jobs WHERE id = OLD.job_id), 'done')
      AND reason = coalesce((SELECT reason FROM jobs WHERE id = OLD.job_id), '');
END;

-- A new job is that of the members which requested its signature before.
CREATE TRIGGER a_new_job_is_of_the_members AFTER INSERT ON jobs
BEGIN
    UPDATE group_members SET job_id = NEW.id
    WHERE name = NEW.name AND profile = NEW.profile AND subject = NEW.subject;
END;

CREATE TRIGGER a_moved_job_is_counted_in_its_groups AFTER UPDATE OF state, reason ON jobs
WHEN NEW.state <> OLD.state OR NEW.reason <> OLD.reason
BEGIN
    UPDATE group_counts SET n = n - 1
    WHERE state = OLD.state AND reason = OLD.reason
      AND group_name IN (SELECT group_name FROM group_members
                         WHERE name = NEW.name AND profile = NEW.profile AND subject = NEW.subject AND job_id = NEW.id);
    INSERT INTO group_counts
    SELECT group_name, NEW.state, NEW.reason, 1 FROM group_members
    WHERE name = NEW.name AND profile = NEW.profile AND subject = NEW.subject AND job_id = NEW.id
    ON CONFLICT (group_name, state, reason) DO UPDATE SET n = n + 1;
    -- A job that is queued again is that of the members which had none.
    UPDATE group_members SET job_id = NEW.id
    WHERE name = NEW.name AND profile = NEW.profile AND subject = NEW.subject AND job_id IS NULL
      AND NEW.state = 'queued';
END;

-- A signature that was pulled or imported makes its members done, unless a job of theirs is live.
CREATE TRIGGER a_new_signature_is_of_the_members AFTER INSERT ON signatures
BEGIN
    UPDATE group_members SET job_id = NULL
    WHERE name = NEW.name AND profile = NEW.profile AND subject = ''
      AND (SELECT state FROM jobs WHERE id = job_id) IN ('failed', 'unavailable', 'cancelled');
END;

-- Without a job and a signature, a run leaves its groups.
CREATE TRIGGER a_removed_signature_leaves_its_groups AFTER DELETE ON signatures
BEGIN
    DELETE FROM group_members
    WHERE name = OLD.name AND profile = OLD.profile AND subject = '' AND job_id IS NULL;
END;

CREATE TRIGGER a_forgotten_job_leaves_its_groups BEFORE DELETE ON jobs
BEGIN
    UPDATE group_members SET job_id = NULL
    WHERE name = OLD.name AND profile = OLD.profile AND subject = OLD.subject AND job_id = OLD.id AND subject = ''
      AND EXISTS (SELECT 1 FROM signatures WHERE name = OLD.name AND profile = OLD.profile);
    DELETE FROM group_members
    WHERE name = OLD.name AND profile = OLD.profile AND subject = OLD.subject AND job_id = OLD.id;
END;

-- A job is held if any group of its is paused.
CREATE TRIGGER a_group_was_paused AFTER INSERT ON paused_groups
BEGIN
    UPDATE jobs SET held = 1
    WHERE id IN (SELECT job_id FROM group_members WHERE group_name = NEW.name) AND state <> 'done';
END;

CREATE TRIGGER a_group_was_resumed AFTER DELETE ON paused_groups
BEGIN
    UPDATE jobs SET held = EXISTS (
        SELECT 1 FROM group_members AS members JOIN paused_groups ON paused_groups.name = members.group_name
        WHERE members.name = jobs.name AND members.profile = jobs.profile AND members.subject = jobs.subject)
    WHERE id IN (SELECT job_id FROM group_members WHERE group_name = OLD.name) AND held = 1;
END;
