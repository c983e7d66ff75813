-- Queries of the catalog and the controls.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: signature
SELECT name, profile, digest, trust, path, size, created_at, provenance, remote, sha256 FROM signatures
WHERE name = :name AND profile IN {profiles};

-- name: has_signature
-- A refuted signature is computed again; a public one, whose URL begins with `http`, unless it is accepted.
SELECT 1 FROM signatures WHERE name = :name AND profile IN {profiles} AND trust <> 'mismatch'
  AND (:public OR trust NOT IN ('published', 'unverified') OR remote NOT GLOB 'http*');

-- name: names_without_signature
SELECT value AS name FROM json_each(:names)
WHERE NOT EXISTS (SELECT 1 FROM signatures WHERE name = value AND profile IN {profiles} AND trust <> 'mismatch');

-- name: record_signature
-- ledger/catalog.py decides whether it may replace another one.
INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance, remote, sha256)
VALUES (:name, :profile, :digest, :trust, :path, :size, :created_at, :provenance, :remote, :sha256)
ON CONFLICT (name, profile) DO UPDATE SET
    digest = excluded.digest, trust = excluded.trust, path = excluded.path, size = excluded.size,
    created_at = excluded.created_at, provenance = excluded.provenance, remote = excluded.remote,
    sha256 = excluded.sha256;

-- name: remote_names
-- Runs whose signature was seen in a bucket, one page at a time.
SELECT name FROM signatures WHERE profile IN {profiles} AND remote <> '' AND name > :after ORDER BY name LIMIT :limit;

-- name: listed_signatures
-- One page of names, in order.  Empty values select all; `local` is 1 for those with a file.
-- Lists with `local` are of paths only, and do without the provenance.
-- ledger/catalog.py replaces {tables}, {condition} and {key} by SQL without values from outside.
SELECT signatures.name, signatures.profile, digest, trust, path, size, created_at, remote,
       CASE WHEN :local = 0 THEN provenance ->> '$.bases' END AS bases,
       CASE WHEN :local = 0 THEN (SELECT group_concat(value ->> '$.ksize') FROM json_each(provenance, '$.sketches')) END AS ksizes
FROM {tables}
WHERE {condition} AND {key} >= :start AND {key} < :end
  AND (:pattern = '' OR {key} GLOB :pattern) AND (:trust = '' OR trust = :trust) AND (:local = 0 OR path <> '')
ORDER BY {key} LIMIT :limit;

-- name: newest_signatures
SELECT name, profile, digest, trust, path, size, created_at, remote, provenance ->> '$.bases' AS bases,
       (SELECT group_concat(value ->> '$.ksize') FROM json_each(provenance, '$.sketches')) AS ksizes
FROM signatures ORDER BY rowid DESC LIMIT :limit;

-- name: profiles_of_name
SELECT profile FROM signatures WHERE name = :name ORDER BY profile;

-- name: name_further_on
-- The name that is :number signatures after the start, of any profile.
SELECT name FROM signatures WHERE name >= :start AND name < :end ORDER BY name LIMIT 1 OFFSET :number;

-- name: measured
-- Totals of the newest signatures that this home computed, without the slowest tenth: the first job of a machine, for
-- example, compiles the kernel.
SELECT count(*) AS jobs, coalesce(sum(bases), 0) AS bases, coalesce(sum(seconds), 0) AS seconds, coalesce(sum(bytes), 0) AS bytes
FROM (SELECT bases, seconds, bytes,
             row_number() OVER (ORDER BY seconds / bases) AS place, count(*) OVER () AS number
      FROM (SELECT provenance ->> '$.bases' AS bases, provenance ->> '$.seconds' AS seconds,
                   provenance ->> '$.source_size' AS bytes
            FROM (SELECT provenance, trust FROM signatures WHERE profile = :profile ORDER BY rowid DESC LIMIT :newest)
            WHERE trust IN ('computed', 'verified'))
      WHERE bases > 0 AND seconds > 0 AND bytes > 0)
WHERE place <= max(1, number * 9 / 10);

-- name: any_remote
SELECT 1 FROM signature_counts WHERE remote > 0 LIMIT 1;

-- name: count_signatures
SELECT coalesce(sum(n), 0) AS n FROM signature_counts;

-- name: count_signatures_of_profile
SELECT n FROM signature_counts WHERE profile = :profile;

-- name: control
SELECT value FROM control WHERE key = :key;

-- name: set_control
INSERT INTO control (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value;
