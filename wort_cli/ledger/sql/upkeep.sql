-- Queries of wort_cli/upkeep: pruning, checks and repairs.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: job_states
SELECT id, state, reason, attempt, ended_at FROM jobs WHERE id BETWEEN :first AND :last;

-- name: last_job
SELECT coalesce(max(id), 0) AS id FROM jobs;

-- name: count_events
SELECT count(*) AS n FROM events WHERE job_id BETWEEN :first AND :last;

-- name: jobs_with_many_events
SELECT job_id FROM events WHERE job_id BETWEEN :first AND :last GROUP BY job_id HAVING count(*) > :keep;

-- name: prune_events_of_job
-- Keep the first event, the newest :keep events, and the event from which the present tries are counted.
DELETE FROM events WHERE id IN (
    SELECT id FROM events WHERE job_id = :id
      AND id < (SELECT id FROM events WHERE job_id = :id ORDER BY id DESC LIMIT 1 OFFSET :keep - 1)
      AND id > (SELECT min(id) FROM events WHERE job_id = :id)
      AND id IS NOT (SELECT max(id) FROM events WHERE job_id = :id
                       AND before IN ('', 'failed', 'unavailable', 'cancelled'))
    ORDER BY id LIMIT :limit);

-- name: last_event
SELECT coalesce(max(id), 0) AS id FROM events;

-- name: prune_old_events
-- For ended jobs, keep the last event only: it explains the present state.  With JOIN instead of CROSS JOIN, SQLite would
-- read all ended jobs in each step.
DELETE FROM events WHERE id IN (
    SELECT old.id FROM events AS old CROSS JOIN jobs ON jobs.id = old.job_id
    WHERE old.id BETWEEN :first AND :last AND jobs.state IN ('done', 'failed', 'unavailable', 'cancelled')
      AND old.id < (SELECT max(id) FROM events WHERE job_id = old.job_id));

-- name: orphaned_events
SELECT count(*) AS n FROM events WHERE job_id NOT IN (SELECT id FROM jobs);

-- name: remove_orphaned_events
DELETE FROM events WHERE job_id NOT IN (SELECT id FROM jobs);

-- name: orphaned_progress
SELECT count(*) AS n FROM progress WHERE job_id NOT IN (SELECT id FROM jobs WHERE state = 'running');

-- name: remove_orphaned_progress
DELETE FROM progress WHERE job_id NOT IN (SELECT id FROM jobs WHERE state = 'running');

-- name: inconsistent_jobs
-- Jobs that wort's own code cannot have written.
SELECT id, name, profile, kind, subject, state, reason, attempt FROM jobs
WHERE state NOT IN (SELECT before FROM legal_moves UNION SELECT after FROM legal_moves)
   OR reason NOT IN (SELECT value FROM json_each(:reasons))
   OR (state = 'running' AND (owner = '' OR lease_until IS NULL))
   OR (state = 'waiting' AND wait_until IS NULL)
   OR (state IN ('done', 'failed', 'unavailable', 'cancelled') AND ended_at IS NULL);

-- name: other_live_job
SELECT id FROM jobs WHERE name = :name AND profile = :profile AND kind = :kind AND subject = :subject AND id <> :id
  AND state IN ('queued', 'running', 'waiting');

-- name: allow_transition
INSERT OR IGNORE INTO legal_moves VALUES (:before, :after);

-- name: forbid_transitions_from
DELETE FROM legal_moves WHERE before = :before;

-- name: repair_state
UPDATE jobs SET state = :state, reason = '', message = :message, owner = '', lease_until = NULL, wait_until = NULL,
                ended_at = CASE WHEN :state = 'cancelled' THEN :now END
WHERE id = :id;

-- name: repair_reason
UPDATE jobs SET reason = '' WHERE id = :id AND reason NOT IN (SELECT value FROM json_each(:reasons));

-- name: repair_times
UPDATE jobs SET wait_until = CASE WHEN state = 'waiting' THEN coalesce(wait_until, :now) ELSE wait_until END,
                ended_at = CASE WHEN state IN ('done', 'failed', 'unavailable', 'cancelled')
                                THEN coalesce(ended_at, :now) ELSE ended_at END
WHERE id = :id;

-- name: catalog_page
SELECT name, profile, digest, trust, path, size, remote, sha256 FROM signatures
WHERE (name, profile) > (:name, :profile) ORDER BY name, profile LIMIT :limit;

-- name: ledger_bytes
SELECT page_count * page_size AS n FROM pragma_page_count(), pragma_page_size();

-- name: catalog_bytes
SELECT coalesce(sum(size), 0) AS n FROM signatures WHERE path <> '';

-- name: paths_of_name
SELECT profile, path FROM signatures WHERE name = :name;

-- name: remove_signature
DELETE FROM signatures WHERE name = :name AND profile = :profile AND path = :path;

-- name: clear_path
UPDATE signatures SET path = '' WHERE name = :name AND profile = :profile AND remote <> '';

-- name: submission_page
SELECT path, name FROM submissions WHERE path > :path ORDER BY path LIMIT :limit;

-- name: record_repair
INSERT INTO repairs (at, name, what) VALUES (:now, :name, :what);

-- name: repairs_of
SELECT at, what FROM repairs WHERE name = :name ORDER BY id;

-- name: raise_last_job_id
UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = 'jobs';

-- name: triggers
SELECT name, sql FROM sqlite_master WHERE type = 'trigger';

-- name: columns
SELECT name FROM pragma_table_info(:table);

-- name: contents
SELECT (SELECT count(*) FROM jobs) AS jobs, (SELECT count(*) FROM jobs WHERE state IN ('queued', 'running', 'waiting')) AS live,
       (SELECT count(*) FROM signatures) AS signatures, (SELECT count(*) FROM submissions) AS submissions;
