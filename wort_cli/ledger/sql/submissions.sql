-- Queries of submissions and verifications.  A line `-- name: X` starts the query X (ledger/database.py).

-- name: add_submission
-- The same content under the same name is the same submission, even from another submitter.
INSERT INTO submissions (name, profile, digest, trust, path, size, sha256, submitter, submitted_at, origin, url,
                         source_check, source_note)
VALUES (:name, :profile, :digest, :trust, :path, :size, :sha256, :submitter, :submitted_at, :origin, :url,
        :source_check, :source_note)
ON CONFLICT (digest, name) DO NOTHING;

-- name: update_source_check
-- The run was checked when the signature was submitted again.
UPDATE submissions SET source_check = :source_check, source_note = :source_note
WHERE digest = :digest AND name = :name AND source_check = 'not checked';

-- name: submission
SELECT * FROM submissions WHERE digest = :digest AND name = :name;

-- name: submissions_named
SELECT * FROM submissions WHERE name = :name ORDER BY submitted_at, digest;

-- name: submissions_with_prefix
-- :prefix consists of hexadecimal digits; `g` sorts after all of them.
SELECT * FROM submissions WHERE digest >= :prefix AND digest < :prefix || 'g' ORDER BY digest, name LIMIT 20;

-- name: unverified_submissions
SELECT * FROM submissions WHERE trust = 'unverified' ORDER BY submitted_at, digest;

-- name: trust_of
SELECT trust FROM submissions WHERE path = :path
UNION ALL SELECT trust FROM signatures WHERE name = :name AND profile = :profile AND path = :path LIMIT 1;

-- name: set_submission_trust
UPDATE submissions SET trust = :trust, why = :why WHERE path = :path;

-- name: set_signature_trust
-- The digest keeps the verdict from a signature that was recomputed in the meantime.
UPDATE signatures SET trust = :trust
WHERE name = :name AND profile = :profile AND path = :path AND digest = :digest;

-- name: latest_verification
-- `subject <> ''` is the condition of the index.
SELECT id, state FROM jobs WHERE kind = 'verify' AND subject = :subject AND subject <> '' ORDER BY id DESC LIMIT 1;

-- name: add_verification
INSERT INTO jobs (name, profile, archive, priority, engine, created_at, kind, depth, subject, subject_digest)
VALUES (:name, :profile, :archive, :priority, :engine, :now, 'verify', :depth, :subject, :subject_digest);

-- name: make_verification_full
-- A quick verification that has not started becomes a full one, if a full one is requested.
UPDATE jobs SET depth = 'full' WHERE id = :id AND state IN ('queued', 'waiting') AND :depth = 'full';

-- name: record_verdict
UPDATE jobs SET verdict = :verdict, report = :report, message = :message WHERE id = :id AND attempt = :attempt;

-- name: last_report
-- `subject <> ''` is the condition of the index.
SELECT report FROM jobs WHERE subject = :subject AND subject <> '' AND report <> '' ORDER BY id DESC LIMIT 1;

-- name: lookup
SELECT known, note, asked_at FROM lookups WHERE accession = :accession;

-- name: record_lookup
INSERT INTO lookups (accession, known, note, asked_at) VALUES (:accession, :known, :note, :asked_at)
ON CONFLICT (accession) DO UPDATE SET known = excluded.known, note = excluded.note, asked_at = excluded.asked_at;

-- name: add_intake
INSERT INTO intakes (id, submitter, origin, received_at, state) VALUES (:id, :submitter, :origin, :received_at, 'checking');

-- name: forget_old_intakes
-- Of what was not accepted, the newest are kept.
DELETE FROM intakes WHERE state != 'accepted' AND number <= (SELECT max(number) FROM intakes) - :kept;

-- name: step_of_intake
UPDATE intakes SET step = :step WHERE id = :id AND state = 'checking';

-- name: end_intake
UPDATE intakes SET state = :state, step = :step, why = :why, place = :place, hint = :hint, digest = :digest,
                   name = :name, ended_at = :ended_at
WHERE id = :id AND state = 'checking';

-- name: intake
SELECT * FROM intakes WHERE id = :id;

-- name: intakes_of
SELECT * FROM intakes WHERE submitter = :submitter ORDER BY number DESC LIMIT :limit;
