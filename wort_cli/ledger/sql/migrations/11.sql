-- Version 11: a request can accept a signature that nothing proves.

ALTER TABLE jobs ADD COLUMN accept_unproved INTEGER NOT NULL DEFAULT 0;  -- 1: compute, and mark the signature
