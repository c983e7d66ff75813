-- Rows that version 3 made possible: submissions, a queued and a finished verification, a lookup.
INSERT INTO submissions VALUES
    ('SRR000030', 'sra-v1', '30303030', 'unverified', 'submitted/30303030/SRR000030.sig', 99, '0000', 'ann', 1700000030.0,
     'a.sig', '', 'public', 'ENA knows it', ''),
    ('SRR000031', 'sra-v1', '31313131', 'mismatch', 'submitted/31313131/SRR000031.sig', 99, '1111', 'bob', 1700000031.0,
     'b.sig', 'https://example.org/b', 'not checked', 'offline', '5 of 100 hashes differ');
INSERT INTO jobs (name, profile, created_at, kind, depth, subject, subject_digest) VALUES
    ('SRR000030', 'sra-v1', 1700000032.0, 'verify', 'quick', 'submitted/30303030/SRR000030.sig', '30303030'),
    ('SRR000031', 'sra-v1', 1700000033.0, 'verify', 'full', 'submitted/31313131/SRR000031.sig', '31313131');
UPDATE jobs SET state = 'running', attempt = 1, owner = 'daemon', lease_until = 1700000100.0, started_at = 1700000034.0
WHERE name = 'SRR000031';
UPDATE jobs SET state = 'done', owner = '', lease_until = NULL, ended_at = 1700000035.0, verdict = 'mismatch',
                report = '{"trust": "mismatch", "depth": "full", "cause": "5 of 100 hashes differ",
                           "comparisons": [], "slices": [], "engine": "kernel", "bases": 1800}',
                message = 'mismatch: 5 of 100 hashes differ' WHERE name = 'SRR000031';
INSERT INTO lookups VALUES ('SRR000030', 1, 'ENA knows it', 1700000036.0);
