-- Rows that version 9 made possible: a signature that was there and needs no job, and a job in two groups.
INSERT INTO group_members (group_name, name, profile, job_id, added_at) VALUES
    ('night', 'SRR000009', 'sra-v1', NULL, 1700000090.0),
    ('late', 'SRR000001', 'sra-v1', 1, 1700000091.0),
    ('later', 'SRR000001', 'sra-v1', 1, 1700000092.0);
