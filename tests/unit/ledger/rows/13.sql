-- Rows that version 13 made possible: what is known of a run, and a job of a run that a project selected.
INSERT INTO runs (run, project, study, experiment, sample, biosample, taxid, organism, strategy, source, selection,
                  layout, platform, model, spots, bases, bytes, released, updated, origin, learned_at) VALUES
    ('SRR000001', 'PRJNA1', 'SRP000001', 'SRX000001', 'SRS000001', 'SAMN00000001', 408170, 'human gut metagenome', 'WGS',
     'METAGENOMIC', 'RANDOM', 'PAIRED', 'ILLUMINA', 'Illumina HiSeq 2500', 1000, 150000, NULL, '2020-02-03', '2021-04-05',
     'ENA, NCBI', 1700000100.0);
INSERT INTO jobs (name, profile, selected_by, created_at) VALUES ('SRR000010', 'sra-v1', 'PRJNA1', 1700000101.0);
