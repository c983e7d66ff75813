-- Queries of what is followed.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: follow
-- Who follows the same again changes how.
INSERT INTO follows (selection, profile, group_name, priority, accept_public, since, most, created_at, next_at)
VALUES (:selection, :profile, :group_name, :priority, :accept_public, :since, :most, :now, :now)
ON CONFLICT (selection, profile) DO UPDATE SET
    group_name = excluded.group_name, priority = excluded.priority, accept_public = excluded.accept_public,
    since = excluded.since, most = excluded.most, next_at = excluded.next_at;

-- name: follows
SELECT * FROM follows ORDER BY id;

-- name: followed
SELECT * FROM follows WHERE id = :id;

-- name: followed_selection
SELECT * FROM follows WHERE selection = :selection ORDER BY id;

-- name: due_follows
SELECT * FROM follows WHERE next_at <= :now OR next_at > :furthest ORDER BY next_at, id;

-- name: start_follow
-- Unless another process has started it meanwhile.  If this one is killed, it is tried again at :next_at.
UPDATE follows SET asked_at = :now, next_at = :next_at, failures = failures + 1, reason = :reason, message = ''
WHERE id = :id AND next_at = :before;

-- name: end_follow
UPDATE follows SET next_at = :next_at, listed_at = coalesce(:listed_at, listed_at), runs = coalesce(:runs, runs),
                   queued = queued + :queued, failures = :failures, reason = :reason, message = :message
WHERE id = :id;

-- name: unfollow
DELETE FROM follows WHERE id = :id;

-- name: never_requested
-- Of some names, those that have no job that computes them, and no signature.
SELECT value AS name FROM json_each(:names)
WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.name = value AND jobs.profile = :profile AND jobs.kind = 'compute')
  AND NOT EXISTS (SELECT 1 FROM signatures WHERE signatures.name = value AND signatures.profile = :profile);
