-- Rows that version 12 made possible: a sketch of a signature.
INSERT INTO sketches VALUES ('SRR000004', 'sra-v1', 0, '0123456789abcdef0123456789abcdef', 21, 'DNA', 0, 1000, 2, 1, 3, '');
