-- Version 2: signatures in a bucket.

ALTER TABLE jobs ADD COLUMN upload INTEGER NOT NULL DEFAULT 1;        -- 0: do not upload the signature

-- The address of the object, once the signature was seen in a bucket.  `path` is '' if there is no local file.
ALTER TABLE signatures ADD COLUMN remote TEXT NOT NULL DEFAULT '';
