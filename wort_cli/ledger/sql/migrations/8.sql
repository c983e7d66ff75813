-- Version 8: a job that has ended can be forgotten (`wort forget`).  A live one is never deleted.

DROP TRIGGER a_job_stays;
CREATE TRIGGER a_live_job_stays BEFORE DELETE ON jobs WHEN OLD.state NOT IN ('done', 'failed', 'unavailable', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a live job is never deleted'); END;

CREATE TRIGGER a_job_is_forgotten BEFORE DELETE ON jobs
BEGIN
    DELETE FROM events WHERE job_id = OLD.id;
    DELETE FROM progress WHERE job_id = OLD.id;
    UPDATE job_counts SET n = n - 1 WHERE state = OLD.state AND reason = OLD.reason;
END;
