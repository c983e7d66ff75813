-- Queries of runs without a signature.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: claimed_absence
-- What this home found out itself is in `jobs`.
SELECT name, reason, at, origin FROM claimed_absences WHERE name = :name AND profile IN {profiles};

-- name: forget_claimed_absences
DELETE FROM claimed_absences WHERE origin = :origin AND profile IN {profiles};

-- name: claim_absence
-- That a run is unavailable outweighs a failure; else the newest claim counts.
INSERT INTO claimed_absences (name, profile, reason, at, origin) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (name, profile) DO UPDATE SET reason = excluded.reason, at = excluded.at, origin = excluded.origin
WHERE (excluded.reason IN {unavailable}, excluded.at) > (reason IN {unavailable}, at);

-- name: own_absences
-- One page of the names of which the newest job of this home ended as unavailable, and which have no signature.
SELECT name, reason, coalesce(ended_at, created_at) AS at FROM jobs
WHERE state = 'unavailable' AND kind = 'compute' AND profile IN {profiles} AND archive = '' AND name > :after
  AND message NOT GLOB :claimed
  AND NOT EXISTS (SELECT 1 FROM signatures WHERE signatures.name = jobs.name AND signatures.profile = jobs.profile)
  AND NOT EXISTS (SELECT 1 FROM jobs AS later WHERE later.name = jobs.name AND later.profile = jobs.profile
                  AND later.kind = 'compute' AND later.id > jobs.id)
ORDER BY name LIMIT :limit;

-- name: note_remote
-- A signature was seen in a bucket, or put there.
UPDATE signatures SET remote = ? WHERE name = ? AND profile = ? AND remote <> ?;
