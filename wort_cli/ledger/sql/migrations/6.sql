-- Version 6 of the ledger: what is counted, so that asking how things are is cheap whatever the number of jobs.

-- How many jobs are in each state, by reason.  Triggers keep it true against any writer.
CREATE TABLE job_counts (
    state  TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (state, reason)
) WITHOUT ROWID, STRICT;
INSERT INTO job_counts SELECT state, reason, count(*) FROM jobs GROUP BY state, reason;

-- How many moves to each state there ever were, by reason: events are dropped in time, these numbers only grow.
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

-- Attempts that ended, by time: failure rates.
CREATE INDEX events_ended ON events (at, after, reason) WHERE after IN ('done', 'failed', 'unavailable', 'waiting');
-- The job that was asked for first of those that are queued.
CREATE INDEX jobs_queued ON jobs (id) WHERE state = 'queued';
