-- Rows that version 16 made possible: a request that accepts a public signature.
UPDATE jobs SET accept_public = 1 WHERE id = 1;
