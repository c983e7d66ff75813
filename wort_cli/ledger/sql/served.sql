-- Queries of the HTTP server.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: served_signature
SELECT digest, trust, path, size, created_at, remote, sha256 FROM signatures WHERE name = :name AND profile = :profile;

-- name: status_of_names
-- What is known of runs and assemblies, in the order in which they were asked for, each with its profile: the signature,
-- the newest job that computes it, and what other homes claim.
WITH wanted AS MATERIALIZED (
    SELECT key, json_extract(value, '$[0]') AS name, json_extract(value, '$[1]') AS profile FROM json_each(:names))
SELECT wanted.name, signatures.trust, signatures.path, signatures.remote, newest.id AS job, newest.state, newest.reason,
       claimed.reason AS claimed
FROM wanted
LEFT JOIN signatures ON signatures.name = wanted.name AND signatures.profile = wanted.profile
LEFT JOIN jobs AS newest ON newest.id = (
    SELECT max(id) FROM jobs WHERE jobs.name = wanted.name AND jobs.profile = wanted.profile AND kind = 'compute')
LEFT JOIN claimed_absences AS claimed ON claimed.name = wanted.name AND claimed.profile = wanted.profile
ORDER BY wanted.key;

-- name: runs_of_project
-- Without the second condition, SQLite does not use the index, which has no rows without a project.
SELECT run FROM runs WHERE project = :record AND project <> '' ORDER BY run LIMIT :limit;

-- name: runs_of_study
SELECT run FROM runs WHERE study = :record AND study <> '' ORDER BY run LIMIT :limit;

-- name: runs_of_record
-- The runs of an experiment, a sample or a biosample, as far as they are known: no index has these, because most have
-- one run only, and an index of all would make the ledger and imports a half larger.
SELECT run FROM runs WHERE :record IN (experiment, sample, biosample) ORDER BY run LIMIT :limit;

-- name: queued_of_selector
-- How many queued jobs were requested by one client; no more than :limit are counted.
SELECT count(*) AS n FROM (
    SELECT 1 FROM jobs INDEXED BY queued_by_selector
    WHERE state = 'queued' AND selected_by = :selected_by AND selected_by <> '' LIMIT :limit
);

-- name: names_in_group
SELECT name FROM group_members WHERE group_name = :group_name AND profile IN {profiles} AND subject = ''
ORDER BY name LIMIT :limit;

-- name: served_signatures
SELECT name, digest, trust, path, size, created_at, remote, sha256 FROM signatures
WHERE name > :after AND name < :before AND profile IN {profiles} AND (name GLOB :sra OR name GLOB :genomes OR name GLOB :img)
  AND (:trust = '' OR trust = :trust) ORDER BY name LIMIT :limit;

-- name: events_after
SELECT events.id, job_id, at, before, after, events.reason, name, profile, kind
FROM events JOIN jobs ON jobs.id = job_id WHERE events.id > :after ORDER BY events.id LIMIT :limit;

-- name: progress_since
SELECT job_id, name, stage, spots, total, bases, reported_at
FROM jobs JOIN progress ON progress.job_id = jobs.id WHERE state = 'running' AND reported_at > :since;
