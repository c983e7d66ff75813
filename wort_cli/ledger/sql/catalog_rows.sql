-- Queries of the rows of a catalog.  A line `-- name: X` starts the query X (ledger/database.py).
-- ledger/listing.py has the SQL for {tables}, {condition} and {key}, without values from outside.

-- name: catalog_signatures
-- One page.  The columns are those of CatalogPage (ledger/catalog_rows.py).  A refuted signature is listed only if that
-- trust is selected.
SELECT signatures.name,
       CASE WHEN :bucket <> '' THEN substr(remote, length(:bucket) + 1)
            WHEN signatures.path <> '' THEN :store || signatures.path ELSE remote END,
       sha256, created_at, size, trust, signatures.profile, digest, nullif(remote, ''),
       nullif(project, ''), nullif(study, ''), nullif(experiment, ''), nullif(sample, ''), nullif(biosample, ''), taxid,
       nullif(organism, ''), nullif(strategy, ''), nullif(source, ''), nullif(selection, ''), nullif(layout, ''),
       nullif(platform, ''), nullif(model, ''), spots, bases, bytes, nullif(released, ''), nullif(updated, '')
FROM {tables} LEFT JOIN runs ON runs.run = signatures.name
WHERE {condition} AND {key} >= :start AND {key} < :end AND (:pattern = '' OR {key} GLOB :pattern)
  AND trust = CASE WHEN :trust <> '' THEN :trust WHEN trust = 'mismatch' THEN '' ELSE trust END
  AND (:local = 0 OR signatures.path <> '') AND (:bucket = '' OR substr(remote, 1, length(:bucket)) = :bucket)
ORDER BY {key} LIMIT :limit;

-- name: catalog_sketches
-- The sketches of the signatures of a page, in order, each with the position of its signature.
SELECT wanted.key, md5, ksize, moltype, num, scaled, n_hashes, with_abundance, filename
FROM json_each(:names) AS wanted CROSS JOIN sketches ON name = wanted.value AND profile IN {profiles};

-- name: catalog_titles
SELECT DISTINCT name, title FROM json_each(:names) AS wanted CROSS JOIN sketches ON name = wanted.value
WHERE title <> '' AND profile IN {profiles};

-- name: catalog_left_out
SELECT sum(trust = 'mismatch' AND :trust = '') AS refuted,
       sum((trust <> 'mismatch' OR :trust <> '') AND NOT EXISTS (
           SELECT 1 FROM sketches WHERE sketches.name = signatures.name AND sketches.profile = signatures.profile))
FROM {tables}
WHERE {condition} AND {key} >= :start AND {key} < :end AND (:pattern = '' OR {key} GLOB :pattern)
  AND (:trust = '' OR trust = :trust)
  AND (:local = 0 OR signatures.path <> '') AND (:bucket = '' OR substr(remote, 1, length(:bucket)) = :bucket);
