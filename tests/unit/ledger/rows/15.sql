-- Rows that version 15 made possible: a profile that was used, and a job that waits for the pass of another one.
INSERT INTO profiles (name, definition, sha256, used_at) VALUES
    ('fine', '{"abund": false, "decode_flags": ["--skip-technical", "--read-filter pass", "--clip"], "k": [31, 21], "moltype": "dna", "scaled": 100, "seed": 42}',
     '93a05a3167cf74162004a5e9cc20bdd0116ff3b916453ff0124a502c2e60fdea', 1700000200.0);
INSERT INTO jobs (name, profile, created_at) VALUES ('SRR000011', 'sra-v1', 1700000201.0);
INSERT INTO jobs (name, profile, created_at, behind)
SELECT 'SRR000011', 'fine', 1700000201.0, max(id) FROM jobs WHERE name = 'SRR000011';
