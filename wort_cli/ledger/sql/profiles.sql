-- Queries of profiles.

-- name: used_profile
SELECT name, definition, sha256, used_at FROM profiles WHERE name = :name;

-- name: used_profiles
SELECT name, definition, sha256, used_at FROM profiles ORDER BY name;

-- name: use_profile
INSERT INTO profiles (name, definition, sha256, used_at) VALUES (:name, :definition, :sha256, :now)
ON CONFLICT (name) DO NOTHING;
