-- Version 16: jobs that take a public signature in place of computing it.

ALTER TABLE jobs ADD COLUMN accept_public INTEGER NOT NULL DEFAULT 0;
