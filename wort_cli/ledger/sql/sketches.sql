-- Queries of the sketches.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: entries
-- One page of signatures, in order of their names, for collections and catalogs.
-- ledger/listing.py has the SQL for {tables}, {condition} and {key}, without values from outside.
SELECT signatures.name, signatures.profile, digest, trust, signatures.path, size, created_at, remote, sha256
FROM {tables}
WHERE {condition} AND {key} >= :start AND {key} < :end
  AND (:pattern = '' OR {key} GLOB :pattern) AND (:trust = '' OR trust = :trust)
ORDER BY {key} LIMIT :limit;

-- name: sketches_of
SELECT name, md5, ksize, moltype, num, scaled, n_hashes, with_abundance, abundance_sum, filename, title
FROM json_each(:names) AS wanted CROSS JOIN sketches ON name = wanted.value AND profile IN {profiles}
ORDER BY wanted.key, position;

-- name: add_sketch
INSERT INTO sketches (name, profile, position, md5, ksize, moltype, num, scaled, n_hashes, with_abundance, abundance_sum, filename,
                      title)
VALUES (:name, :profile, :position, :md5, :ksize, :moltype, :num, :scaled, :n_hashes, :with_abundance, :abundance_sum, :filename,
        :title)
ON CONFLICT (name, profile, position) DO NOTHING;

-- name: add_sketches_of_earlier_versions
-- What this home computed is in its own provenance.  Without a checksum, the version may have believed a bucket.
INSERT INTO sketches
SELECT signatures.name, profile, sketch.key, sketch.value ->> '$.md5', sketch.value ->> '$.ksize', 'DNA', 0, :scaled,
       sketch.value ->> '$.hashes', 1, sketch.value ->> '$.abundance_sum', '', ''
FROM signatures, json_each(provenance, '$.sketches') AS sketch
WHERE profile = :profile AND trust IN ('computed', 'unproved') AND sha256 <> ''
  AND typeof(sketch.value ->> '$.abundance_sum') = 'integer'
  AND NOT EXISTS (SELECT 1 FROM sketches WHERE sketches.name = signatures.name AND sketches.profile = signatures.profile);

-- name: signature_without_sketches
SELECT 1 FROM signatures
WHERE profile = :profile AND trust IN ('computed', 'unproved') AND sha256 <> ''
  AND NOT EXISTS (SELECT 1 FROM sketches WHERE sketches.name = signatures.name AND sketches.profile = signatures.profile)
LIMIT 1;

-- name: recorded
SELECT trust, sha256 FROM signatures WHERE name = :name AND profile IN {profiles};
