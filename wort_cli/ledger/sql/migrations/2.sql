-- Version 2 of the ledger: signatures in a bucket.

ALTER TABLE jobs ADD COLUMN upload INTEGER NOT NULL DEFAULT 1;        -- 0: it stays on this machine

-- The object's address, where the signature was seen to stand in a bucket.  Then `path` may be '', for there is no file.
ALTER TABLE signatures ADD COLUMN remote TEXT NOT NULL DEFAULT '';
