-- Queries of the HTTP server.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: served_signature
SELECT digest, trust, path, size, created_at, remote, sha256 FROM signatures WHERE name = :name AND profile = :profile;

-- name: status_of_runs
-- What is known of runs, in the order in which they were asked for: the signature, the newest job that computes it, and
-- what other homes claim.
SELECT wanted.value AS run, signatures.trust, signatures.path, signatures.remote, newest.id AS job, newest.state, newest.reason,
       claimed.reason AS claimed
FROM json_each(:names) AS wanted
LEFT JOIN signatures ON signatures.name = wanted.value AND signatures.profile = :profile
LEFT JOIN jobs AS newest ON newest.id = (
    SELECT max(id) FROM jobs WHERE jobs.name = wanted.value AND jobs.profile = :profile AND kind = 'compute')
LEFT JOIN claimed_absences AS claimed ON claimed.name = wanted.value AND claimed.profile = :profile
ORDER BY wanted.key;

-- name: runs_of_record
-- The runs of a project, study, experiment, sample or biosample, as far as they are known.
SELECT run FROM runs WHERE :record IN (project, study, experiment, sample, biosample) ORDER BY run LIMIT :limit;

-- name: names_in_group
SELECT name FROM group_members WHERE group_name = :group_name AND profile = :profile AND subject = ''
ORDER BY name LIMIT :limit;

-- name: served_signatures
SELECT name, digest, trust, path, size, created_at, remote, sha256 FROM signatures
WHERE name > :after AND profile = :profile AND (:trust = '' OR trust = :trust) ORDER BY name LIMIT :limit;

-- name: events_after
SELECT events.id, job_id, at, before, after, events.reason, name, profile, kind
FROM events JOIN jobs ON jobs.id = job_id WHERE events.id > :after ORDER BY events.id LIMIT :limit;

-- name: progress_since
SELECT job_id, name, stage, spots, total, bases, reported_at
FROM jobs JOIN progress ON progress.job_id = jobs.id WHERE state = 'running' AND reported_at > :since;
