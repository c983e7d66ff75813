-- The ledger's queries about how things are.  `-- name: X` begins the query X of wort_cli/ledger.py.
-- None of them reads more than a few rows, but for ended_since, which reads an index entry for each attempt that ended.

-- name: move_counts
SELECT after, reason, n FROM move_counts ORDER BY after, reason;

-- name: ended_since
SELECT after, reason, count(*) AS n FROM events
WHERE at > :since AND after IN ('done', 'failed', 'unavailable', 'waiting') GROUP BY after, reason;

-- name: first_queued
-- Since when the job is queued that was asked for first of those that are.  Left to itself, SQLite would go through
-- all that are queued, by another index.
SELECT max(at) AS since FROM events
WHERE job_id = (SELECT id FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' ORDER BY id LIMIT 1)
  AND after = 'queued';
