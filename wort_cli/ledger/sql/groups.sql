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

-- name: clear_group_counts
DELETE FROM group_counts;

-- name: count_groups_again
INSERT INTO group_counts
SELECT group_name, coalesce(state, 'done'), coalesce(reason, ''), count(*)
FROM group_members LEFT JOIN jobs ON jobs.id = job_id GROUP BY 1, 2, 3;

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
-- How many jobs of a group have ended since a time, and when the first of them did.
SELECT count(*) AS n, min(at) AS first
FROM events INDEXED BY events_ended CROSS JOIN group_members AS members ON members.job_id = events.job_id
WHERE at > :since AND after IN ('done', 'failed', 'unavailable', 'waiting') AND after <> 'waiting'
  AND members.group_name = :group_name;

-- name: amounts_of_group
-- The bases and bytes of those runs of a group of which they are known; `done`: of those that have their signature.
SELECT count(*) AS runs, coalesce(sum(bases), 0) AS bases, coalesce(sum(bytes), 0) AS bytes,
       coalesce(sum(CASE WHEN coalesce(jobs.state, 'done') = 'done' THEN bases END), 0) AS bases_done,
       coalesce(sum(CASE WHEN coalesce(jobs.state, 'done') = 'done' THEN bytes END), 0) AS bytes_done
FROM group_members AS members JOIN runs ON runs.run = members.name LEFT JOIN jobs ON jobs.id = members.job_id
WHERE members.group_name = :group_name AND (bases IS NOT NULL OR bytes IS NOT NULL);
