-- Rows that version 20 has an index for: a run of a project and a study, and a queued job that a token requested.
INSERT INTO runs (run, project, study, experiment, sample, biosample, organism, strategy, source, selection, layout,
                  platform, model, released, updated, origin, learned_at)
VALUES ('SRR200020', 'PRJNA200020', 'SRP200020', '', '', '', '', '', '', '', '', '', '', '', '', 'NCBI', 1795780900.0);
INSERT INTO jobs (name, profile, archive, priority, force, engine, upload, accept_unproved, accept_public, selected_by,
                  created_at)
VALUES ('SRR200020', 'sra-v1', '', 0, 0, '', 1, 0, 0, 'the token lab', 1795780900.0);
