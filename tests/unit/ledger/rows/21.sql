-- Rows that version 21 counts: a member of a group whose run has a known length.
INSERT INTO runs (run, project, study, experiment, sample, biosample, organism, strategy, source, selection, layout,
                  platform, model, bases, bytes, released, updated, origin, learned_at)
VALUES ('SRR200021', '', '', '', '', '', '', '', '', '', '', '', '', 2100, 525, '', '', 'NCBI', 1795780910.0);
INSERT INTO jobs (name, profile, created_at) VALUES ('SRR200021', 'sra-v1', 1795780910.0);
INSERT INTO group_members SELECT 'long', name, profile, '', id, created_at FROM jobs WHERE name = 'SRR200021';
