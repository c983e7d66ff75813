-- Queries of the catalog and the controls.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: signature
SELECT name, profile, digest, trust, path, size, created_at, provenance, remote FROM signatures
WHERE name = :name AND profile = :profile;

-- name: has_signature
SELECT 1 FROM signatures WHERE name = :name AND profile = :profile;

-- name: record_signature
INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance, remote)
VALUES (:name, :profile, :digest, :trust, :path, :size, :created_at, :provenance, :remote)
ON CONFLICT (name, profile) DO UPDATE SET
    digest = excluded.digest, path = excluded.path, size = excluded.size,
    created_at = excluded.created_at, provenance = excluded.provenance, remote = excluded.remote,
    -- A verified signature stays verified if its content is the same.
    trust = CASE WHEN digest = excluded.digest AND trust = 'verified' THEN trust ELSE excluded.trust END;

-- name: remote_names
-- Runs whose signature was seen in a bucket, one page at a time.
SELECT name FROM signatures WHERE profile = :profile AND remote <> '' AND name > :after ORDER BY name LIMIT :limit;

-- name: count_signatures
SELECT count(*) AS n FROM signatures;

-- name: control
SELECT value FROM control WHERE key = :key;

-- name: set_control
INSERT INTO control (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value;
