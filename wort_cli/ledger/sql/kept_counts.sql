-- What the triggers count, counted from the rows (ledger/kept_counts.py).  A line `-- name: X` starts the query X.
-- Each has the columns of its table, in order.

-- name: count_job_counts
SELECT state, reason, count(*) FROM jobs GROUP BY state, reason;

-- name: count_group_counts
SELECT group_name, coalesce(state, 'done'), coalesce(reason, ''), count(*)
FROM group_members LEFT JOIN jobs ON jobs.id = job_id GROUP BY 1, 2, 3;

-- name: count_group_amounts
SELECT group_name, coalesce(state, 'done') = 'done', count(*), total(runs.bases), total(runs.bytes)
FROM runs CROSS JOIN group_members ON group_members.name = runs.run LEFT JOIN jobs ON jobs.id = job_id
WHERE runs.bases IS NOT NULL OR runs.bytes IS NOT NULL GROUP BY 1, 2;

-- name: count_signature_counts
SELECT profile, count(*), sum(remote <> '') FROM signatures GROUP BY profile;

-- name: count_ended_counts
-- Of the two days before the newest.
SELECT CAST(at AS INTEGER) / 60, after, reason, count(*) FROM events
WHERE after IN ('done', 'failed', 'unavailable', 'waiting')
  AND at >= 60 * ((SELECT CAST(max(at) AS INTEGER) / 60 FROM events
                   WHERE after IN ('done', 'failed', 'unavailable', 'waiting')) - 2880)
GROUP BY 1, 2, 3;
