-- Queries of groups.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: add_member
-- Who is a member already stays one; the answer to the new request says which job is that of the run.
INSERT INTO group_members (group_name, name, profile, subject, job_id, added_at)
VALUES (:group_name, :name, :profile, :subject, :job_id, :now)
ON CONFLICT (group_name, name, profile, subject) DO UPDATE SET job_id = excluded.job_id
WHERE job_id IS NOT excluded.job_id;

-- name: members_without_job
-- One page in the order of their names.  ledger/groups.py has the SQL for {condition}, without values from outside.
SELECT members.name, members.profile, added_at, coalesce(known.path, '') AS path, coalesce(known.remote, '') AS remote
FROM group_members AS members INDEXED BY members_by_job
     LEFT JOIN signatures AS known ON known.name = members.name AND known.profile = members.profile
WHERE group_name = :group_name AND job_id IS NULL AND (members.name, members.profile) > (:name, :profile) AND {condition}
ORDER BY members.name, members.profile LIMIT :limit;

-- name: remove_members_without_job
DELETE FROM group_members WHERE group_name = :group_name AND job_id IS NULL;

-- name: group_sizes
SELECT group_name, sum(n) AS n FROM group_counts GROUP BY group_name HAVING sum(n) > 0 ORDER BY group_name;

-- name: count_group
SELECT state, reason, n FROM group_counts WHERE group_name = :group_name AND n > 0 ORDER BY state, reason;

-- name: assign_jobs_again
-- After rows of `jobs` were copied into the ledger.
UPDATE group_members SET job_id = (SELECT max(id) FROM jobs WHERE jobs.name = group_members.name
    AND jobs.profile = group_members.profile AND jobs.subject = group_members.subject)
WHERE job_id IS NOT NULL;

-- name: hold_jobs_again
UPDATE jobs SET held = EXISTS (
    SELECT 1 FROM group_members AS members JOIN paused_groups ON paused_groups.name = members.group_name
    WHERE members.name = jobs.name AND members.profile = jobs.profile AND members.subject = jobs.subject)
WHERE state <> 'done';

-- name: pause_group
INSERT OR IGNORE INTO paused_groups (name) VALUES (:group_name);

-- name: resume_group
DELETE FROM paused_groups WHERE name = :group_name;

-- name: paused_groups
SELECT name FROM paused_groups ORDER BY name;

-- name: ended_of_group
-- How many jobs of a group have ended since a time, and when the first of them did; only the newest :limit attempts of all
-- groups are looked at.
SELECT count(*) AS n, min(at) AS first
FROM (SELECT job_id, at FROM events INDEXED BY events_ended
      WHERE at > :since AND after IN ('done', 'failed', 'unavailable', 'waiting') AND after <> 'waiting'
      ORDER BY at DESC LIMIT :limit) AS ended
     CROSS JOIN group_members AS members INDEXED BY members_by_job
       ON members.group_name = :group_name AND members.job_id = ended.job_id;

-- name: amounts_of_group
-- The bases and bytes of those runs of a group of which they are known; `done`: of those that have their signature.
SELECT coalesce(sum(runs), 0) AS runs, CAST(total(bases) AS INTEGER) AS bases, CAST(total(bytes) AS INTEGER) AS bytes,
       CAST(total(iif(done, bases, 0)) AS INTEGER) AS bases_done, CAST(total(iif(done, bytes, 0)) AS INTEGER) AS bytes_done
FROM group_amounts WHERE group_name = :group_name;
