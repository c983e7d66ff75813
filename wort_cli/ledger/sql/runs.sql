-- Queries of what is known of runs.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: record_run
-- What is not known in the new row stays as it was.
INSERT INTO runs (run, project, study, experiment, sample, biosample, taxid, organism, strategy, source, selection,
                  layout, platform, model, spots, bases, bytes, released, updated, origin, learned_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run) DO UPDATE SET
    project = coalesce(nullif(excluded.project, ''), project), study = coalesce(nullif(excluded.study, ''), study),
    experiment = coalesce(nullif(excluded.experiment, ''), experiment),
    sample = coalesce(nullif(excluded.sample, ''), sample),
    biosample = coalesce(nullif(excluded.biosample, ''), biosample), taxid = coalesce(excluded.taxid, taxid),
    organism = coalesce(nullif(excluded.organism, ''), organism),
    strategy = coalesce(nullif(excluded.strategy, ''), strategy), source = coalesce(nullif(excluded.source, ''), source),
    selection = coalesce(nullif(excluded.selection, ''), selection),
    layout = coalesce(nullif(excluded.layout, ''), layout), platform = coalesce(nullif(excluded.platform, ''), platform),
    model = coalesce(nullif(excluded.model, ''), model), spots = coalesce(excluded.spots, spots),
    bases = coalesce(excluded.bases, bases), bytes = coalesce(excluded.bytes, bytes),
    released = coalesce(nullif(excluded.released, ''), released),
    updated = coalesce(nullif(excluded.updated, ''), updated), origin = excluded.origin, learned_at = excluded.learned_at;

-- name: any_run
SELECT 1 FROM runs LIMIT 1;

-- name: run
SELECT run, project, study, experiment, sample, biosample, taxid, organism, strategy, source, selection,
       layout, platform, model, spots, bases, bytes, released, updated
FROM runs WHERE run = :run;

-- name: runs_among
SELECT run, project, study, experiment, sample, biosample, taxid, organism, strategy, source, selection,
       layout, platform, model, spots, bases, bytes, released, updated
FROM json_each(:names) AS wanted JOIN runs ON runs.run = wanted.value;

-- name: values_in_group
-- One page.  ledger/runs.py has the name of the {column}.
SELECT DISTINCT members.name, coalesce(runs.{column}, '') AS value
FROM group_members AS members LEFT JOIN runs ON runs.run = members.name
WHERE group_name = :group_name AND profile = :profile AND members.name > :after ORDER BY members.name LIMIT :limit;

-- name: unknown_among
-- Of some runs, those of which the ledger has neither a job nor a signature of the profile.
SELECT value AS run FROM json_each(:names)
WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE name = value AND profile IN {profiles})
  AND NOT EXISTS (SELECT 1 FROM signatures WHERE name = value AND profile IN {profiles})
ORDER BY key;

-- name: amounts_among
-- How many of some runs have known bases, known bytes, and both, with their sums.
SELECT count(bases) AS with_bases, coalesce(sum(bases), 0) AS bases, count(bytes) AS with_bytes, coalesce(sum(bytes), 0) AS bytes
FROM json_each(:names) AS wanted JOIN runs ON runs.run = wanted.value;

-- name: bases_among
SELECT runs.run, runs.bases FROM json_each(:names) AS wanted JOIN runs ON runs.run = wanted.value
WHERE runs.bases IS NOT NULL;
