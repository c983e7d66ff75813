-- Queries of jobs.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: latest_job
-- The newest job that computes a signature.  If a job is live, it is the newest.
SELECT id, state, reason, message, archive FROM jobs
WHERE name = :name AND profile = :profile AND kind = 'compute' ORDER BY id DESC LIMIT 1;

-- name: add_job
INSERT INTO jobs (name, profile, archive, priority, force, engine, upload, accept_unproved, accept_public, selected_by,
                  created_at)
VALUES (:name, :profile, :archive, :priority, :force, :engine, :upload, :accept_unproved, :accept_public, :selected_by,
        :now);

-- name: merge_request
-- A live job is requested again: its priority may rise.  It computes, unless each request accepts the public signature.
UPDATE jobs SET priority = max(priority, :priority), accept_unproved = max(accept_unproved, :accept_unproved),
                accept_public = min(accept_public, :accept_public)
WHERE id = :id;

-- name: claim_job
-- Start the next attempt of a queued job.
UPDATE jobs SET state = 'running', behind = 0, owner = :owner, lease_until = :lease_until, attempt = attempt + 1,
                started_at = :now, ended_at = NULL, reason = '', message = ''
WHERE id = :id AND state = 'queued';

-- name: extend_lease
UPDATE jobs SET lease_until = :lease_until WHERE id = :id AND state = 'running' AND attempt = :attempt;

-- name: report_progress
-- The first report of a stage with any spots is kept: the time before it was spent on preparations.
INSERT INTO progress (job_id, stage, spots, total, bases, reported_at, first_spots, first_at)
SELECT id, :stage, :spots, :total, :bases, :at, :spots, :at
FROM jobs WHERE id = :id AND state = 'running' AND attempt = :attempt
ON CONFLICT (job_id) DO UPDATE SET
    (first_spots, first_at) = (
        SELECT first_spots, first_at
        WHERE stage = excluded.stage AND total = excluded.total AND spots <= excluded.spots AND first_spots > 0
        UNION ALL SELECT excluded.spots, excluded.reported_at LIMIT 1
    ),
    stage = excluded.stage, spots = excluded.spots, total = excluded.total, bases = excluded.bases,
    reported_at = excluded.reported_at;

-- name: end_attempt
-- End an attempt; the job becomes done, failed, unavailable, waiting or queued.  An earlier attempt changes nothing.
UPDATE jobs SET state = :state, reason = :reason, message = :message, owner = '', lease_until = NULL, wait_until = :wait_until,
                ended_at = CASE WHEN :state IN ('done', 'failed', 'unavailable') THEN :now END
WHERE id = :id AND state = 'running' AND attempt = :attempt;

-- name: count_failures
-- How often a job failed for one of these reasons since it was last requested, and when it first did.
SELECT count(*) AS n, min(at) AS first_at FROM events
WHERE job_id = :id AND after = 'waiting' AND reason IN (SELECT value FROM json_each(:reasons))
  AND id > (SELECT max(id) FROM events WHERE job_id = :id AND before IN ('', 'failed', 'unavailable', 'cancelled'));

-- name: wake_job
UPDATE jobs SET state = 'queued', wait_until = NULL WHERE id = :id AND state = 'waiting';

-- name: wake_jobs
-- At most :limit at a time, because all jobs that waited for one server may be due at once.  No job waits until after
-- :furthest, unless the clock was set back.  Two ranges of the index, because SQLite would read all of it for one with OR.
UPDATE jobs SET state = 'queued', wait_until = NULL
WHERE id IN (
    SELECT id FROM (
        SELECT * FROM (SELECT id FROM jobs INDEXED BY jobs_to_wake WHERE state = 'waiting' AND wait_until <= :now
                       ORDER BY wait_until LIMIT :limit)
        UNION ALL
        SELECT * FROM (SELECT id FROM jobs INDEXED BY jobs_to_wake WHERE state = 'waiting' AND wait_until > :furthest LIMIT :limit)
    ) LIMIT :limit);

-- name: wake_jobs_of_a_later_time
-- Jobs that wait until after :furthest, except those of pending runs: the clock was set back.
UPDATE jobs SET state = 'queued', wait_until = NULL
WHERE id IN (SELECT id FROM jobs INDEXED BY jobs_to_wake WHERE state = 'waiting' AND wait_until > :furthest
               AND reason NOT IN (SELECT value FROM json_each(:pending)) LIMIT :limit);

-- name: count_crash
UPDATE jobs SET crashes = :crashes, crashes_work = :work WHERE id = :id;

-- name: crashes
SELECT crashes, crashes_work FROM jobs WHERE id = :id AND state = 'running' AND attempt = :attempt;

-- name: cancel_job
UPDATE jobs SET state = 'cancelled', reason = '', message = '', owner = '', lease_until = NULL, wait_until = NULL,
                ended_at = :now
WHERE id = :id AND state IN ('queued', 'running', 'waiting');

-- name: put_behind
-- The job waits until another one has ended, whose pass sketches it too.
UPDATE jobs SET behind = :first WHERE id = :id AND state = 'queued' AND id <> :first
  AND EXISTS (SELECT 1 FROM jobs AS lead WHERE lead.id = :first AND lead.state IN ('queued', 'running', 'waiting'));

-- name: release_jobs_again
UPDATE jobs SET behind = 0 WHERE behind > 0
  AND NOT EXISTS (SELECT 1 FROM jobs AS lead WHERE lead.id = jobs.behind AND lead.state IN ('queued', 'running', 'waiting'));

-- name: forget_job
DELETE FROM jobs WHERE id = :id AND state IN ('done', 'failed', 'unavailable', 'cancelled');

-- name: retry_job
-- Only the newest job of a signature can be retried.
UPDATE jobs SET state = 'queued', reason = '', message = '', ended_at = NULL, crashes = 0, crashes_work = 0, behind = 0,
                force = max(force, :force), engine = coalesce(:engine, engine), upload = coalesce(:upload, upload),
                accept_unproved = coalesce(:accept_unproved, accept_unproved),
                accept_public = coalesce(:accept_public, accept_public), archive = coalesce(:archive, archive),
                priority = max(priority, :priority)
WHERE id = :id AND state IN ('failed', 'unavailable', 'cancelled')
  AND NOT EXISTS (SELECT 1 FROM jobs AS later
                  WHERE later.name = jobs.name AND later.profile = jobs.profile AND later.id > jobs.id
                    AND later.kind = jobs.kind AND later.subject = jobs.subject);

-- name: hasten_job
-- Its next attempt starts now.  Its failures still count.
UPDATE jobs SET state = 'queued', wait_until = NULL WHERE id = :id AND state = 'waiting';

-- name: next_jobs
-- `held` is 1 if a group of the job is paused.  Without INDEXED BY, SQLite would use another index and sort a million jobs.
SELECT id FROM jobs INDEXED BY jobs_to_run WHERE state = 'queued' AND held = 0 AND behind = 0
ORDER BY priority DESC, id LIMIT :limit;

-- name: queued_among
SELECT id, crashes FROM jobs WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 'queued' AND held = 0 AND behind = 0;

-- name: running_jobs
SELECT id, attempt, owner, lease_until FROM jobs WHERE state = 'running';

-- name: job
-- With what the catalog knows of its signature (`known_`), the checksum of the file that it verifies, the definition of
-- its profile, and the other jobs of its pass.
SELECT jobs.*, stage, spots, total, bases, reported_at, first_spots, first_at,
       (SELECT json_group_array(group_name) FROM group_members AS own
        WHERE own.name = jobs.name AND own.profile = jobs.profile AND own.subject = jobs.subject
          AND own.job_id = jobs.id) AS groups,
       known.digest AS known_digest, known.trust AS known_trust, known.sha256 AS known_sha256,
       (SELECT definition FROM profiles WHERE profiles.name = jobs.profile) AS definition,
       (SELECT json_group_array(json_object('id', other.id, 'profile', other.profile, 'definition', definition))
        FROM jobs AS other LEFT JOIN profiles ON profiles.name = other.profile
        WHERE other.behind = jobs.id AND other.behind > 0 AND other.state = 'queued') AS others,
       CASE WHEN subject = '' THEN ''
            WHEN subject = known.path THEN known.sha256
            ELSE (SELECT sha256 FROM submissions WHERE submissions.path = subject) END AS subject_sha256
FROM jobs LEFT JOIN progress ON progress.job_id = jobs.id
          LEFT JOIN signatures AS known ON known.name = jobs.name AND known.profile = jobs.profile
WHERE jobs.id = :id;

-- name: jobs_where
-- ledger/jobs.py replaces {tables}, {condition} and {key} by SQL without values from outside.
SELECT jobs.*, stage, spots, total, bases, reported_at, first_spots, first_at,
       (SELECT json_group_array(group_name) FROM group_members AS own
        WHERE own.name = jobs.name AND own.profile = jobs.profile AND own.subject = jobs.subject
          AND own.job_id = jobs.id) AS groups,
       known.path AS known_path, known.remote AS known_remote
FROM {tables} LEFT JOIN progress ON progress.job_id = jobs.id
              LEFT JOIN signatures AS known ON known.name = jobs.name AND known.profile = jobs.profile
WHERE {condition} ORDER BY {key} DESC LIMIT :limit;

-- name: ids_where
SELECT jobs.id FROM {tables} WHERE {condition} ORDER BY {key};

-- name: next_ids_where
SELECT jobs.id FROM {tables} WHERE {condition} ORDER BY {key} LIMIT :limit;

-- name: count_states
SELECT state, reason, n FROM job_counts WHERE n > 0 ORDER BY state, reason;

-- name: live_among
SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(:ids)) AND state IN ('queued', 'waiting', 'running');

-- name: states_among
SELECT state, count(*) AS n FROM jobs WHERE id IN (SELECT value FROM json_each(:ids)) GROUP BY state;

-- name: events_of_job
SELECT job_id, at, before, after, reason, message, attempt FROM events WHERE job_id = :id ORDER BY id;

-- name: newest_events
SELECT job_id, at, before, after, reason, message, attempt FROM events WHERE job_id = :id ORDER BY id DESC LIMIT :limit;

-- name: jobs_ahead
-- The queued jobs that start before one with this priority and id; no more than :limit of each priority are counted.
SELECT count(*) AS n FROM (
    SELECT * FROM (SELECT 1 FROM jobs INDEXED BY jobs_to_run
                   WHERE state = 'queued' AND held = 0 AND behind = 0 AND priority > :priority LIMIT :limit)
    UNION ALL
    SELECT * FROM (SELECT 1 FROM jobs INDEXED BY jobs_to_run
                   WHERE state = 'queued' AND held = 0 AND behind = 0 AND priority = :priority AND id < :id LIMIT :limit)
);
