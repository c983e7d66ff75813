-- Rows that version 7 made possible: a signature with a checksum, and one that others made.
INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance, remote, sha256)
SELECT 'SRR000071', profile, '71717171', 'computed', 'sigs/SRR000/SRR000071.sig', size, created_at,
       json_replace(provenance, '$.name', 'SRR000071', '$.digest', '71717171'), '', printf('%064d', 71)
FROM signatures WHERE name = 'SRR000004';
INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance, remote, sha256)
SELECT 'SRR000072', profile, '72727272', 'published', '', size, created_at,
       json_replace(provenance, '$.name', 'SRR000072', '$.digest', '72727272'), 's3://wort-sra/sigs/SRR000072.sig',
       printf('%064d', 72)
FROM signatures WHERE name = 'SRR000004';
