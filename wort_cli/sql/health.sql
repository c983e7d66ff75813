-- The ledger's queries about how things are.  `-- name: X` begins the query X of wort_cli/ledger.py.
-- None of them reads more than a few rows, but for ended_since, which reads an index entry for each attempt that ended.

-- name: move_counts
SELECT after, reason, n FROM move_counts ORDER BY after, reason;

-- name: ended_since
SELECT after, reason, count(*) AS n FROM events
WHERE at > :since AND after IN ('done', 'failed', 'unavailable', 'waiting') GROUP BY after, reason;

-- name: first_queued
-- Since when the job is queued that was asked for first of those that are.
SELECT max(at) AS since FROM events
WHERE job_id = (SELECT min(id) FROM jobs WHERE state = 'queued') AND after = 'queued';
