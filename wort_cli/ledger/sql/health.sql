-- Queries of counts and of the queue's age.  A line `-- name: X` starts the query X (ledger/database.py).
-- Each reads a few rows only.

-- name: transition_counts
SELECT after, reason, n FROM move_counts ORDER BY after, reason;

-- name: moves_made
SELECT coalesce(sum(n), 0) AS n FROM move_counts;

-- name: ended_since
-- The events of the first minute, and the counts of the whole minutes after it.  What is more than two days older than
-- the newest count may not be counted: of that time, all events are read.
WITH first (minute) AS (
    SELECT max(CAST(:since AS INTEGER) / 60 + 1, coalesce((SELECT max(minute) FROM ended_counts) - 2880, 0)))
SELECT after, reason, sum(n) AS n FROM (
    SELECT after, reason, n FROM ended_counts WHERE minute >= (SELECT minute FROM first)
    UNION ALL
    SELECT after, reason, 1 FROM events INDEXED BY events_ended
    WHERE at > :since AND at < 60 * (SELECT minute FROM first) AND after IN ('done', 'failed', 'unavailable', 'waiting'))
GROUP BY after, reason HAVING sum(n) > 0;

-- name: waiting_message
-- The message of the newest job that waits for a reason.
SELECT message FROM jobs INDEXED BY jobs_by_state WHERE state = 'waiting' AND reason = :reason ORDER BY id DESC LIMIT 1;

-- name: ended_otherwise
-- An attempt that ended after a time for another reason.  Reads index entries up to the first one.
SELECT 1 AS found FROM events INDEXED BY events_ended
WHERE at > :since AND after IN ('done', 'failed', 'unavailable', 'waiting') AND reason <> :reason LIMIT 1;

-- name: last_ended_reason
-- The reason of the attempt that ended last.
SELECT reason FROM events INDEXED BY events_ended
WHERE after IN ('done', 'failed', 'unavailable', 'waiting') ORDER BY at DESC LIMIT 1;

-- name: oldest_queued
-- When the oldest queued job was queued.  Without INDEXED BY, SQLite would use another index and read all queued jobs.
SELECT max(at) AS since FROM events
WHERE job_id = (SELECT id FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' ORDER BY id LIMIT 1)
  AND after = 'queued';
