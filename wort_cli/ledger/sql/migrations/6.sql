-- Version 6: counts of jobs and transitions, so that the status is read quickly whatever the number of jobs.

-- Number of jobs for each state and reason.  Triggers keep it correct for every writer.
CREATE TABLE job_counts (
    state  TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (state, reason)
) WITHOUT ROWID, STRICT;
INSERT INTO job_counts SELECT state, reason, count(*) FROM jobs GROUP BY state, reason;

-- Number of transitions ever made, for each new state and reason.  Events are pruned; these numbers only grow.
CREATE TABLE move_counts (
    after  TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (after, reason)
) WITHOUT ROWID, STRICT;
INSERT INTO move_counts SELECT after, reason, count(*) FROM events GROUP BY after, reason;

CREATE TRIGGER a_new_job_is_counted AFTER INSERT ON jobs
BEGIN
    INSERT INTO job_counts VALUES (NEW.state, NEW.reason, 1) ON CONFLICT (state, reason) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER a_moved_job_is_counted AFTER UPDATE OF state, reason ON jobs
WHEN NEW.state <> OLD.state OR NEW.reason <> OLD.reason
BEGIN
    UPDATE job_counts SET n = n - 1 WHERE state = OLD.state AND reason = OLD.reason;
    INSERT INTO job_counts VALUES (NEW.state, NEW.reason, 1) ON CONFLICT (state, reason) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER a_move_is_counted AFTER INSERT ON events
BEGIN
    INSERT INTO move_counts VALUES (NEW.after, NEW.reason, 1) ON CONFLICT (after, reason) DO UPDATE SET n = n + 1;
END;

-- Ended attempts by time, for failure rates.
CREATE INDEX events_ended ON events (at, after, reason) WHERE after IN ('done', 'failed', 'unavailable', 'waiting');
-- Finds the oldest queued job.
CREATE INDEX jobs_queued ON jobs (id) WHERE state = 'queued';
