-- Version 21: counts of signatures and ended attempts, and the amounts of groups, so that no page and no status counts rows.
--
-- Triggers keep them correct for every writer; ledger/kept_counts.py counts again, and says which are wrong.

-- Number of attempts that ended in each minute since 1970, for each new state and reason.  Rows may be missing if they are
-- more than two days older than the newest: ended_since (health.sql) reads events of that time.
CREATE TABLE ended_counts (
    minute INTEGER NOT NULL,
    after  TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (minute, after, reason)
) WITHOUT ROWID, STRICT;
INSERT INTO ended_counts
SELECT CAST(at AS INTEGER) / 60, after, reason, count(*) FROM events
WHERE after IN ('done', 'failed', 'unavailable', 'waiting')
  AND at >= 60 * ((SELECT CAST(max(at) AS INTEGER) / 60 FROM events
                   WHERE after IN ('done', 'failed', 'unavailable', 'waiting')) - 2880)
GROUP BY 1, 2, 3;

CREATE TRIGGER an_ended_attempt_is_counted AFTER INSERT ON events
WHEN NEW.after IN ('done', 'failed', 'unavailable', 'waiting')
BEGIN
    INSERT INTO ended_counts VALUES (CAST(NEW.at AS INTEGER) / 60, NEW.after, NEW.reason, 1)
    ON CONFLICT (minute, after, reason) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER a_pruned_attempt_is_not_counted AFTER DELETE ON events
WHEN OLD.after IN ('done', 'failed', 'unavailable', 'waiting')
BEGIN
    UPDATE ended_counts SET n = n - 1
    WHERE minute = CAST(OLD.at AS INTEGER) / 60 AND after = OLD.after AND reason = OLD.reason;
END;

CREATE TRIGGER a_changed_attempt_is_counted AFTER UPDATE OF at, after, reason ON events
BEGIN
    UPDATE ended_counts SET n = n - 1
    WHERE minute = CAST(OLD.at AS INTEGER) / 60 AND after = OLD.after AND reason = OLD.reason;
    INSERT INTO ended_counts SELECT CAST(NEW.at AS INTEGER) / 60, NEW.after, NEW.reason, 1
    WHERE NEW.after IN ('done', 'failed', 'unavailable', 'waiting')
    ON CONFLICT (minute, after, reason) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER minutes_of_earlier_days_are_not_kept AFTER INSERT ON ended_counts
BEGIN
    DELETE FROM ended_counts WHERE minute < NEW.minute - 2880;
END;

-- Number of signatures of each profile, and of those that were seen in a bucket.
CREATE TABLE signature_counts (
    profile TEXT    NOT NULL PRIMARY KEY,
    n       INTEGER NOT NULL,
    remote  INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
INSERT INTO signature_counts SELECT profile, count(*), sum(remote <> '') FROM signatures GROUP BY profile;

CREATE TRIGGER a_new_signature_is_counted AFTER INSERT ON signatures
BEGIN
    INSERT INTO signature_counts VALUES (NEW.profile, 1, NEW.remote <> '')
    ON CONFLICT (profile) DO UPDATE SET n = n + 1, remote = remote + excluded.remote;
END;

CREATE TRIGGER a_removed_signature_is_not_counted AFTER DELETE ON signatures
BEGIN
    UPDATE signature_counts SET n = n - 1, remote = remote - (OLD.remote <> '') WHERE profile = OLD.profile;
END;

CREATE TRIGGER a_signature_in_a_bucket_is_counted AFTER UPDATE OF remote ON signatures
WHEN (NEW.remote <> '') <> (OLD.remote <> '')
BEGIN
    UPDATE signature_counts SET remote = remote + (NEW.remote <> '') - (OLD.remote <> '') WHERE profile = NEW.profile;
END;

-- Bases and bytes of the members of each group of whose runs they are known; `done` is 1 for those that have their
-- signature.  As REAL, no sum overflows; it is exact below 2^53.
CREATE TABLE group_amounts (
    group_name TEXT    NOT NULL,
    done       INTEGER NOT NULL,
    runs       INTEGER NOT NULL,
    bases      REAL    NOT NULL,
    bytes      REAL    NOT NULL,
    PRIMARY KEY (group_name, done)
) WITHOUT ROWID, STRICT;
INSERT INTO group_amounts
SELECT group_name, coalesce(state, 'done') = 'done', count(*), total(runs.bases), total(runs.bytes)
FROM runs CROSS JOIN group_members ON group_members.name = runs.run LEFT JOIN jobs ON jobs.id = job_id
WHERE runs.bases IS NOT NULL OR runs.bytes IS NOT NULL GROUP BY 1, 2;

CREATE TRIGGER amounts_of_a_new_member AFTER INSERT ON group_members
BEGIN
    INSERT INTO group_amounts
    SELECT NEW.group_name, coalesce((SELECT state FROM jobs WHERE id = NEW.job_id), 'done') = 'done',
           1, coalesce(bases, 0), coalesce(bytes, 0)
    FROM runs WHERE run = NEW.name AND (bases IS NOT NULL OR bytes IS NOT NULL)
    ON CONFLICT (group_name, done) DO UPDATE SET
        runs = runs + excluded.runs, bases = bases + excluded.bases, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER amounts_of_a_former_member AFTER DELETE ON group_members
BEGIN
    INSERT INTO group_amounts
    SELECT OLD.group_name, coalesce((SELECT state FROM jobs WHERE id = OLD.job_id), 'done') = 'done',
           -1, -coalesce(bases, 0), -coalesce(bytes, 0)
    FROM runs WHERE run = OLD.name AND (bases IS NOT NULL OR bytes IS NOT NULL)
    ON CONFLICT (group_name, done) DO UPDATE SET
        runs = runs + excluded.runs, bases = bases + excluded.bases, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER amounts_of_a_member_with_another_job AFTER UPDATE OF job_id ON group_members
WHEN (coalesce((SELECT state FROM jobs WHERE id = NEW.job_id), 'done') = 'done')
  <> (coalesce((SELECT state FROM jobs WHERE id = OLD.job_id), 'done') = 'done')
BEGIN
    INSERT INTO group_amounts
    SELECT NEW.group_name, is_done, sign, sign * coalesce(bases, 0), sign * coalesce(bytes, 0)
    FROM runs CROSS JOIN (
        SELECT 1 AS sign, coalesce((SELECT state FROM jobs WHERE id = NEW.job_id), 'done') = 'done' AS is_done
        UNION ALL SELECT -1, coalesce((SELECT state FROM jobs WHERE id = OLD.job_id), 'done') = 'done')
    WHERE run = NEW.name AND (bases IS NOT NULL OR bytes IS NOT NULL)
    ON CONFLICT (group_name, done) DO UPDATE SET
        runs = runs + excluded.runs, bases = bases + excluded.bases, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER amounts_of_a_moved_job AFTER UPDATE OF state ON jobs WHEN (NEW.state = 'done') <> (OLD.state = 'done')
BEGIN
    INSERT INTO group_amounts
    SELECT members.group_name, is_done, sign, sign * coalesce(bases, 0), sign * coalesce(bytes, 0)
    FROM runs CROSS JOIN group_members AS members CROSS JOIN (
        SELECT 1 AS sign, NEW.state = 'done' AS is_done UNION ALL SELECT -1, OLD.state = 'done')
    WHERE run = NEW.name AND (bases IS NOT NULL OR bytes IS NOT NULL)
      AND members.name = NEW.name AND members.profile = NEW.profile AND members.subject = NEW.subject
      AND members.job_id = NEW.id
    ON CONFLICT (group_name, done) DO UPDATE SET
        runs = runs + excluded.runs, bases = bases + excluded.bases, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER amounts_of_a_new_run AFTER INSERT ON runs WHEN NEW.bases IS NOT NULL OR NEW.bytes IS NOT NULL
BEGIN
    INSERT INTO group_amounts
    SELECT members.group_name, coalesce(state, 'done') = 'done', 1, coalesce(NEW.bases, 0), coalesce(NEW.bytes, 0)
    FROM group_members AS members LEFT JOIN jobs ON jobs.id = members.job_id WHERE members.name = NEW.run
    ON CONFLICT (group_name, done) DO UPDATE SET
        runs = runs + excluded.runs, bases = bases + excluded.bases, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER amounts_of_a_changed_run AFTER UPDATE OF bases, bytes ON runs
WHEN NEW.bases IS NOT OLD.bases OR NEW.bytes IS NOT OLD.bytes
BEGIN
    INSERT INTO group_amounts
    SELECT members.group_name, coalesce(state, 'done') = 'done',
           (NEW.bases IS NOT NULL OR NEW.bytes IS NOT NULL) - (OLD.bases IS NOT NULL OR OLD.bytes IS NOT NULL),
           coalesce(NEW.bases, 0) - coalesce(OLD.bases, 0), coalesce(NEW.bytes, 0) - coalesce(OLD.bytes, 0)
    FROM group_members AS members LEFT JOIN jobs ON jobs.id = members.job_id WHERE members.name = NEW.run
    ON CONFLICT (group_name, done) DO UPDATE SET
        runs = runs + excluded.runs, bases = bases + excluded.bases, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER amounts_of_a_removed_run AFTER DELETE ON runs WHEN OLD.bases IS NOT NULL OR OLD.bytes IS NOT NULL
BEGIN
    INSERT INTO group_amounts
    SELECT members.group_name, coalesce(state, 'done') = 'done', -1, -coalesce(OLD.bases, 0), -coalesce(OLD.bytes, 0)
    FROM group_members AS members LEFT JOIN jobs ON jobs.id = members.job_id WHERE members.name = OLD.run
    ON CONFLICT (group_name, done) DO UPDATE SET
        runs = runs + excluded.runs, bases = bases + excluded.bases, bytes = bytes + excluded.bytes;
END;
