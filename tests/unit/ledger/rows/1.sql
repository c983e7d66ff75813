-- Rows of a ledger of version 1: a job in each state, progress, two signatures, controls.
INSERT INTO jobs (name, profile, archive, priority, group_name, force, engine, created_at) VALUES
    ('SRR000001', 'sra-v1', '', 0, '', 0, '', 1700000001.0),
    ('SRR000002', 'sra-v1', '', 5, 'night', 0, 'kernel', 1700000002.0),
    ('SRR000003', 'sra-v1', '', 0, '', 0, '', 1700000003.0),
    ('SRR000004', 'sra-v1', '', 0, '', 1, '', 1700000004.0),
    ('mine', 'sra-v1', '/archives/mine.sra', 0, '', 0, '', 1700000005.0),
    ('SRR000006', 'sra-v1', '', 0, '', 0, '', 1700000006.0),
    ('SRR000007', 'sra-v1', '', 0, 'night', 0, '', 1700000007.0),
    ('SRR000008', 'sra-v1', '', -1, '', 0, '', 1700000008.0);
-- Job 1 stays queued.  Job 8 is queued again after a failure.
UPDATE jobs SET state = 'running', attempt = 1, owner = 'daemon', lease_until = 1700000100.0, started_at = 1700000010.0
WHERE id IN (2, 3, 4, 5, 6, 8);
UPDATE jobs SET state = 'waiting', reason = 'network', message = 'no route to host', owner = '', lease_until = NULL,
                wait_until = 1700000200.0 WHERE id = 3;
UPDATE jobs SET state = 'done', owner = '', lease_until = NULL, ended_at = 1700000020.0 WHERE id = 4;
UPDATE jobs SET state = 'failed', reason = 'corrupt', message = 'column READ: checksum', owner = '', lease_until = NULL,
                ended_at = 1700000021.0 WHERE id IN (5, 8);
UPDATE jobs SET state = 'unavailable', reason = 'not-found', message = 'no such run', owner = '', lease_until = NULL,
                ended_at = 1700000022.0 WHERE id = 6;
UPDATE jobs SET state = 'cancelled', ended_at = 1700000023.0 WHERE id = 7;
UPDATE jobs SET state = 'queued', reason = '', message = '', ended_at = NULL WHERE id = 8;
INSERT INTO progress VALUES (2, 'sketching', 400, 1000, 80000, 1700000030.0);
INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance) VALUES
    ('SRR000004', 'sra-v1', '44444444', 'computed', 'sigs/SRR000/SRR000004.sig', 99, 1700000020.0,
     '{"name": "SRR000004", "profile": "sra-v1", "digest": "44444444",
       "sketches": [{"ksize": 21, "hashes": 2, "abundance_sum": 3, "md5": "00000000", "note": ""},
                    {"ksize": 31, "hashes": 0, "abundance_sum": 0, "md5": "11111111", "note": "few-kmers"}],
       "spots": 10, "spots_passed": 9, "reads": 18, "bases": 1800, "source": "remote", "source_size": 1234,
       "source_sha256": "", "source_mtime": 0.0, "validated": true, "tools": {"wort": "0.1.0"},
       "argv": ["fastq-dump", "-Z", "SRR000004"], "slices": 1, "engine": "kernel", "started_at": 1700000010.5,
       "seconds": 9.5, "host": "here"}');
INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance)
SELECT 'SRR000009', profile, '99999999', trust, 'sigs/SRR000/SRR000009.sig', size, created_at,
       json_replace(provenance, '$.name', 'SRR000009', '$.digest', '99999999')
FROM signatures WHERE name = 'SRR000004';
INSERT INTO control VALUES ('paused', ''), ('jobs', '3');
