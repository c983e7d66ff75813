-- Rows that version 17 made possible: a project that is followed, and a query that could not be listed.
INSERT INTO follows (selection, profile, group_name, priority, accept_public, since, most, created_at, next_at,
                     asked_at, listed_at, runs, queued) VALUES
    ('PRJNA63463', 'sra-v1', 'encode', 5, 0, '', 10000, 1700000300.0, 1700086700.0, 1700000300.0, 1700000300.0, 7, 7);
INSERT INTO follows (selection, profile, group_name, priority, accept_public, since, most, created_at, next_at,
                     asked_at, failures, reason, message) VALUES
    ('tax_eq(408170)', 'fine', '', 0, 0, '2023-11-01', 10000, 1700000301.0, 1700000421.0, 1700000301.0, 2,
     'not-listed', 'ENA does not answer');
