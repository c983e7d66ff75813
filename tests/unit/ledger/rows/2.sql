-- Rows that version 2 made possible: a job whose signature is not uploaded, a signature in a bucket.
INSERT INTO jobs (name, profile, created_at, upload) VALUES ('SRR000020', 'sra-v1', 1700000020.0, 0);
INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance, remote)
SELECT 'SRR000021', profile, '21212121', trust, '', size, created_at,
       json_replace(provenance, '$.name', 'SRR000021', '$.digest', '21212121'), 's3://wort-sra/sigs/SRR000021.sig'
FROM signatures WHERE name = 'SRR000004';
