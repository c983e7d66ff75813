-- The ledger's queries about what was handed in.  `-- name: X` begins the query X of wort_cli/submissions.py.

-- name: add_submission
-- The same content under the same name is the same submission, whoever hands it in.
INSERT INTO submissions (name, profile, digest, trust, path, size, sha256, submitter, submitted_at, origin, url,
                         source_check, source_note)
VALUES (:name, :profile, :digest, :trust, :path, :size, :sha256, :submitter, :submitted_at, :origin, :url,
        :source_check, :source_note)
ON CONFLICT (digest, name) DO NOTHING;

-- name: confirm_source
-- Handed in again when somebody could be asked.
UPDATE submissions SET source_check = :source_check, source_note = :source_note
WHERE digest = :digest AND name = :name AND source_check = 'not checked';

-- name: submission
SELECT * FROM submissions WHERE digest = :digest AND name = :name;

-- name: submissions_named
SELECT * FROM submissions WHERE name = :name ORDER BY submitted_at, digest;

-- name: submissions_of_digest
-- :beginning is letters and digits alone.
SELECT * FROM submissions WHERE digest >= :beginning AND digest < :beginning || 'g' ORDER BY digest, name LIMIT 20;

-- name: unverified_submissions
SELECT * FROM submissions WHERE trust = 'unverified' ORDER BY submitted_at, digest;

-- name: trust_of
SELECT trust FROM submissions WHERE path = :path UNION ALL SELECT trust FROM signatures WHERE path = :path LIMIT 1;

-- name: trust_submission
UPDATE submissions SET trust = :trust, why = :why WHERE path = :path;

-- name: trust_signature
-- Of a signature that was computed anew meanwhile, nothing was found out.
UPDATE signatures SET trust = :trust WHERE path = :path AND digest = :digest;

-- name: latest_verification
SELECT id, state FROM jobs WHERE kind = 'verify' AND subject = :subject ORDER BY id DESC LIMIT 1;

-- name: add_verification
INSERT INTO jobs (name, profile, archive, priority, group_name, engine, created_at, kind, depth, subject, subject_digest)
VALUES (:name, :profile, :archive, :priority, :group_name, :engine, :now, 'verify', :depth, :subject, :subject_digest);

-- name: deepen_verification
-- One that has not begun yet becomes a full one, if that is asked for meanwhile.
UPDATE jobs SET depth = 'full' WHERE id = :id AND state IN ('queued', 'waiting') AND :depth = 'full';

-- name: record_verdict
UPDATE jobs SET verdict = :verdict, report = :report, message = :message WHERE id = :id AND attempt = :attempt;

-- name: last_report
SELECT report FROM jobs WHERE subject = :subject AND report <> '' ORDER BY id DESC LIMIT 1;

-- name: lookup
SELECT known, note, asked_at FROM lookups WHERE accession = :accession;

-- name: record_lookup
INSERT INTO lookups (accession, known, note, asked_at) VALUES (:accession, :known, :note, :asked_at)
ON CONFLICT (accession) DO UPDATE SET known = excluded.known, note = excluded.note, asked_at = excluded.asked_at;
