-- Rows that version 18 made possible: a sketch of an assembly, whose signature has a longer name of its own.
INSERT INTO sketches (name, profile, position, md5, ksize, moltype, num, scaled, n_hashes, with_abundance, abundance_sum, filename, title)
VALUES ('GCA_000005845.2', 'genomes-v1', 0, 'f6b8b19547211001f87ef397bf4ac1e1', 31, 'DNA', 0, 1000, 4500, 1, 4600,
        'GCA_000005845.2_ASM584v2_genomic.fna.gz',
        'GCA_000005845.2 Escherichia coli str. K-12 substr. MG1655 strain=K-12 substr. MG1655, ASM584v2');
