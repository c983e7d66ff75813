-- Rows that version 14 made possible: a run that is unavailable according to another home.
INSERT INTO claimed_absences (name, profile, reason, at, origin) VALUES
    ('SRR000011', 'sra-v1', 'withdrawn', 1700000102.0, 's3://wort-sra/absent/00112233445566aa.csv.gz');
