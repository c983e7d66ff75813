-- Version 7: the checksum of each signature, which is compared whenever the signature is used.

-- sha256 of the file at `path`, or of the object if there is no file; '' if it was recorded by an earlier version.
ALTER TABLE signatures ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';

-- Earlier versions believed what a bucket said.  What has no file here was not necessarily computed here.
UPDATE signatures SET trust = 'published' WHERE path = '' AND remote <> '' AND trust = 'computed';
