-- Rows that version 5 made possible: repairs.
INSERT INTO repairs (at, name, what) VALUES
    (1700000050.0, 'SRR000004', 'the provenance file was written again'), (1700000051.0, '', 'orphaned events were removed');
