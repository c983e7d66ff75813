-- A dump of a ledger that the code of wort 0.1.0 (commit a5ac12a) wrote through its class Ledger: jobs in every state,
-- events, progress, signatures, submissions, verifications, controls, a paused group, a repair.  Do not edit it.
PRAGMA user_version = 6;
BEGIN TRANSACTION;
CREATE TABLE control (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
INSERT INTO "control" VALUES('jobs','2');
INSERT INTO "control" VALUES('killed','');
INSERT INTO "control" VALUES('paused','');
INSERT INTO "control" VALUES('written_at','1760000000');
CREATE TABLE events (
    id      INTEGER PRIMARY KEY,
    job_id  INTEGER NOT NULL REFERENCES jobs (id),
    at      REAL    NOT NULL,
    before  TEXT    NOT NULL,
    after   TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    message TEXT    NOT NULL,
    attempt INTEGER NOT NULL
) STRICT;
INSERT INTO "events" VALUES(1,1,1.79571102146515202517e+09,'','queued','','',0);
INSERT INTO "events" VALUES(2,2,1.79571102146611404418e+09,'','queued','','',0);
INSERT INTO "events" VALUES(3,3,1.79571102146631216998e+09,'','queued','','',0);
INSERT INTO "events" VALUES(4,4,1.7957110214664649963e+09,'','queued','','',0);
INSERT INTO "events" VALUES(5,5,1.79571102146663856505e+09,'','queued','','',0);
INSERT INTO "events" VALUES(6,6,1.7957110214667642116e+09,'','queued','','',0);
INSERT INTO "events" VALUES(7,7,1.79571102147106933591e+09,'','queued','','',0);
INSERT INTO "events" VALUES(8,8,1.79571102147136926656e+09,'','queued','','',0);
INSERT INTO "events" VALUES(9,2,1.79571102147600793839e+09,'queued','running','','',1);
INSERT INTO "events" VALUES(10,2,1.79571102147801971429e+09,'running','queued','interrupted','the daemon that worked on it crashed',1);
INSERT INTO "events" VALUES(11,2,1.79571102148699164383e+09,'queued','running','','',2);
INSERT INTO "events" VALUES(12,3,1.79571102149801540377e+09,'queued','running','','',1);
INSERT INTO "events" VALUES(13,3,1.79571102150401020044e+09,'running','waiting','network','NCBI did not answer: timed out',1);
INSERT INTO "events" VALUES(14,3,1.7957110215110108852e+09,'waiting','queued','network','NCBI did not answer: timed out',1);
INSERT INTO "events" VALUES(15,3,1.7957110215110108852e+09,'queued','running','','',2);
INSERT INTO "events" VALUES(16,3,1.79571102151998281473e+09,'running','waiting','network','NCBI did not answer: timed out',2);
INSERT INTO "events" VALUES(17,4,1.79571102152300024036e+09,'queued','running','','',1);
INSERT INTO "events" VALUES(18,4,1.79571102153100681307e+09,'running','done','','',1);
INSERT INTO "events" VALUES(19,5,1.79571102153901314738e+09,'queued','running','','',1);
INSERT INTO "events" VALUES(20,5,1.79571102154701948169e+09,'running','failed','corrupt','vdb-validate: column READ: checksum',1);
INSERT INTO "events" VALUES(21,6,1.79571102155900907517e+09,'queued','running','','',1);
INSERT INTO "events" VALUES(22,6,1.79571102157099843029e+09,'running','unavailable','not-found','NCBI: not found',1);
INSERT INTO "events" VALUES(23,7,1.79571102157498145102e+09,'queued','cancelled','','',0);
INSERT INTO "events" VALUES(24,8,1.79571102158701133722e+09,'queued','running','','',1);
INSERT INTO "events" VALUES(25,8,1.79571102159300589559e+09,'running','done','','',1);
INSERT INTO "events" VALUES(26,9,1.79571102159963059421e+09,'','queued','','',0);
INSERT INTO "events" VALUES(27,9,1.7957110216070070267e+09,'queued','running','','',1);
INSERT INTO "events" VALUES(28,9,1.79571102161501359941e+09,'running','done','','',1);
INSERT INTO "events" VALUES(29,10,1.79571102163530826566e+09,'','queued','','',0);
INSERT INTO "events" VALUES(30,11,1.7957110216361072063e+09,'','queued','','',0);
INSERT INTO "events" VALUES(31,12,1.79571102163624835013e+09,'','queued','','',0);
INSERT INTO "events" VALUES(32,10,1.79571102163899230961e+09,'queued','running','','',1);
INSERT INTO "events" VALUES(33,10,1.7957110216430158615e+09,'running','done','','',1);
INSERT INTO "events" VALUES(34,12,1.79571102164699888232e+09,'queued','running','','',1);
INSERT INTO "events" VALUES(35,12,1.79571102165098190305e+09,'running','done','','',1);
CREATE TABLE job_counts (
    state  TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (state, reason)
) WITHOUT ROWID, STRICT;
INSERT INTO "job_counts" VALUES('cancelled','',1);
INSERT INTO "job_counts" VALUES('done','',5);
INSERT INTO "job_counts" VALUES('failed','corrupt',1);
INSERT INTO "job_counts" VALUES('queued','',2);
INSERT INTO "job_counts" VALUES('queued','interrupted',0);
INSERT INTO "job_counts" VALUES('queued','network',0);
INSERT INTO "job_counts" VALUES('running','',1);
INSERT INTO "job_counts" VALUES('unavailable','not-found',1);
INSERT INTO "job_counts" VALUES('waiting','network',1);
CREATE TABLE jobs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,             -- of the signature: an accession, or a local name
    profile    TEXT    NOT NULL,
    archive    TEXT    NOT NULL DEFAULT '',  -- path of a local archive; '' for a run by accession
    state      TEXT    NOT NULL DEFAULT 'queued',
    reason     TEXT    NOT NULL DEFAULT '',  -- why it waits, failed or is unavailable
    message    TEXT    NOT NULL DEFAULT '',
    priority   INTEGER NOT NULL DEFAULT 0,   -- the highest first
    group_name TEXT    NOT NULL DEFAULT '',
    force      INTEGER NOT NULL DEFAULT 0,
    engine     TEXT    NOT NULL DEFAULT '',  -- that was asked for; '' for the setting's
    attempt    INTEGER NOT NULL DEFAULT 0,   -- how often it was started: fences late results
    owner      TEXT    NOT NULL DEFAULT '',  -- who runs it
    lease_until REAL,                        -- until when the owner's word is good
    wait_until  REAL,
    created_at  REAL   NOT NULL,
    started_at  REAL,
    ended_at    REAL
, upload INTEGER NOT NULL DEFAULT 1, kind           TEXT NOT NULL DEFAULT 'compute', depth          TEXT NOT NULL DEFAULT '', subject        TEXT NOT NULL DEFAULT '', subject_digest TEXT NOT NULL DEFAULT '', verdict        TEXT NOT NULL DEFAULT '', report         TEXT NOT NULL DEFAULT '', crashes      INTEGER NOT NULL DEFAULT 0, crashes_work INTEGER NOT NULL DEFAULT 0, held         INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "jobs" VALUES(1,'SRR000001','sra-v1','','queued','','',0,'',0,'',0,'',NULL,NULL,1.79571102146515202517e+09,NULL,NULL,1,'compute','','','','','',0,0,0);
INSERT INTO "jobs" VALUES(2,'SRR000002','sra-v1','','running','','',5,'',0,'',2,'daemon',1.79571108148720526699e+09,NULL,1.79571102146611404418e+09,1.79571102148720526691e+09,NULL,1,'compute','','','','','',1,3,0);
INSERT INTO "jobs" VALUES(3,'SRR000003','sra-v1','','waiting','network','NCBI did not answer: timed out',0,'night',0,'',2,'',NULL,1.79571114151923894876e+09,1.79571102146631216998e+09,1.7957110215117161274e+09,NULL,1,'compute','','','','','',0,0,1);
INSERT INTO "jobs" VALUES(4,'SRR000004','sra-v1','','done','','',0,'',0,'',1,'',NULL,NULL,1.7957110214664649963e+09,1.7957110215230367183e+09,1.79571102153129267698e+09,1,'compute','','','','','',0,0,0);
INSERT INTO "jobs" VALUES(5,'SRR000005','sra-v1','','failed','corrupt','vdb-validate: column READ: checksum',0,'',0,'',1,'',NULL,NULL,1.79571102146663856505e+09,1.79571102153923606867e+09,1.79571102154748415947e+09,1,'compute','','','','','',0,0,0);
INSERT INTO "jobs" VALUES(6,'SRR000006','sra-v1','','unavailable','not-found','NCBI: not found',0,'',0,'',1,'',NULL,NULL,1.7957110214667642116e+09,1.79571102155884194375e+09,1.79571102157147693629e+09,1,'compute','','','','','',0,0,0);
INSERT INTO "jobs" VALUES(7,'SRR000007','sra-v1','','cancelled','','',0,'',0,'',0,'',NULL,NULL,1.79571102147106933591e+09,NULL,1.79571102157503151896e+09,1,'compute','','','','','',0,0,0);
INSERT INTO "jobs" VALUES(8,'SRR000008','sra-v1','','done','','',0,'',0,'',1,'',NULL,NULL,1.79571102147136926656e+09,1.79571102158722424504e+09,1.79571102159285616878e+09,1,'compute','','','','','',0,0,0);
INSERT INTO "jobs" VALUES(9,'mine','sra-v1','/archives/mine.sra','done','','',0,'',0,'',1,'',NULL,NULL,1.79571102159963059421e+09,1.7957110216071834564e+09,1.79571102161460232739e+09,1,'compute','','','','','',0,0,0);
INSERT INTO "jobs" VALUES(10,'SRR000010','sra-v1','','done','','verified (full)',0,'',0,'',1,'',NULL,NULL,1.79571102163530826566e+09,1.79571102163914370544e+09,1.79571102164314746855e+09,1,'verify','full','submitted/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/SRR000010.sig','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','verified','{"trust": "verified", "depth": "full", "cause": "", "comparisons": [], "slices": [], "engine": "", "bases": 0}',0,0,0);
INSERT INTO "jobs" VALUES(11,'SRR000011','sra-v1','','queued','','',0,'night',0,'',0,'',NULL,NULL,1.7957110216361072063e+09,NULL,NULL,1,'verify','quick','submitted/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/SRR000011.sig','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','','',0,0,1);
INSERT INTO "jobs" VALUES(12,'SRR000012','sra-v1','','done','','mismatch: k=21: 5 of 100 hashes differ',0,'',0,'',1,'',NULL,NULL,1.79571102163624835013e+09,1.79571102164704608913e+09,1.79571102165105891228e+09,1,'verify','full','submitted/cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc/SRR000012.sig','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','mismatch','{"trust": "mismatch", "depth": "full", "cause": "k=21: 5 of 100 hashes differ", "comparisons": [], "slices": [], "engine": "", "bases": 0}',0,0,0);
CREATE TABLE legal_moves (before TEXT, after TEXT, PRIMARY KEY (before, after)) WITHOUT ROWID, STRICT;
INSERT INTO "legal_moves" VALUES('cancelled','queued');
INSERT INTO "legal_moves" VALUES('failed','queued');
INSERT INTO "legal_moves" VALUES('queued','cancelled');
INSERT INTO "legal_moves" VALUES('queued','running');
INSERT INTO "legal_moves" VALUES('running','cancelled');
INSERT INTO "legal_moves" VALUES('running','done');
INSERT INTO "legal_moves" VALUES('running','failed');
INSERT INTO "legal_moves" VALUES('running','queued');
INSERT INTO "legal_moves" VALUES('running','unavailable');
INSERT INTO "legal_moves" VALUES('running','waiting');
INSERT INTO "legal_moves" VALUES('unavailable','queued');
INSERT INTO "legal_moves" VALUES('waiting','cancelled');
INSERT INTO "legal_moves" VALUES('waiting','queued');
CREATE TABLE lookups (
    accession TEXT    NOT NULL PRIMARY KEY,
    known     INTEGER NOT NULL,
    note      TEXT    NOT NULL,
    asked_at  REAL    NOT NULL
) WITHOUT ROWID, STRICT;
INSERT INTO "lookups" VALUES('SRR000010',1,'ENA knows it',1.79571102165502691268e+09);
CREATE TABLE move_counts (
    after  TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (after, reason)
) WITHOUT ROWID, STRICT;
INSERT INTO "move_counts" VALUES('cancelled','',1);
INSERT INTO "move_counts" VALUES('done','',5);
INSERT INTO "move_counts" VALUES('failed','corrupt',1);
INSERT INTO "move_counts" VALUES('queued','',12);
INSERT INTO "move_counts" VALUES('queued','interrupted',1);
INSERT INTO "move_counts" VALUES('queued','network',1);
INSERT INTO "move_counts" VALUES('running','',11);
INSERT INTO "move_counts" VALUES('unavailable','not-found',1);
INSERT INTO "move_counts" VALUES('waiting','network',2);
CREATE TABLE paused_groups (name TEXT PRIMARY KEY CHECK (name <> '')) WITHOUT ROWID, STRICT;
INSERT INTO "paused_groups" VALUES('night');
CREATE TABLE progress (
    job_id      INTEGER PRIMARY KEY REFERENCES jobs (id),
    stage       TEXT    NOT NULL,
    spots       INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    bases       INTEGER NOT NULL,
    reported_at REAL    NOT NULL
) STRICT;
INSERT INTO "progress" VALUES(2,'sketching',400,1000,80000,1.7957110214910075664e+09);
CREATE TABLE repairs (
    id   INTEGER PRIMARY KEY,
    at   REAL    NOT NULL,
    name TEXT    NOT NULL DEFAULT '',  -- of the signature, '' if it is about none
    what TEXT    NOT NULL
) STRICT;
INSERT INTO "repairs" VALUES(1,1.79571102169101929667e+09,'SRR000004','the sidecar was written again from the catalog');
CREATE TABLE signatures (
    name       TEXT    NOT NULL,
    profile    TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    trust      TEXT    NOT NULL,
    path       TEXT    NOT NULL,   -- below the store's root
    size       INTEGER NOT NULL,   -- bytes
    created_at REAL    NOT NULL,
    provenance TEXT    NOT NULL, remote TEXT NOT NULL DEFAULT '',   -- JSON
    PRIMARY KEY (name, profile)
) STRICT;
INSERT INTO "signatures" VALUES('SRR000004','sra-v1','4444444444444444444444444444444444444444444444444444444444444444','computed','sigs/SRR000/SRR000004.sig',99,1.79571102153196477885e+09,'{"name": "SRR000004", "profile": "sra-v1", "digest": "4444444444444444444444444444444444444444444444444444444444444444", "sketches": [{"ksize": 21, "hashes": 2, "abundance_sum": 3, "md5": "00000000000000000000000000000000", "note": ""}, {"ksize": 31, "hashes": 0, "abundance_sum": 0, "md5": "11111111111111111111111111111111", "note": "few-kmers"}], "spots": 10, "spots_passed": 9, "reads": 18, "bases": 1800, "source": "remote", "source_size": 1234, "source_sha256": "", "source_mtime": 0.0, "validated": false, "tools": {"wort": "0.1.0"}, "argv": ["fastq-dump", "-Z", "SRR000004"], "slices": 1, "engine": "sourmash", "started_at": 1700000000.5, "seconds": 1.25, "host": "here", "decoders": []}','');
INSERT INTO "signatures" VALUES('SRR000008','sra-v1','8888888888888888888888888888888888888888888888888888888888888888','computed','sigs/SRR000/SRR000008.sig',99,1.79571102159354209905e+09,'{"name": "SRR000008", "profile": "sra-v1", "digest": "8888888888888888888888888888888888888888888888888888888888888888", "sketches": [{"ksize": 21, "hashes": 2, "abundance_sum": 3, "md5": "00000000000000000000000000000000", "note": ""}, {"ksize": 31, "hashes": 0, "abundance_sum": 0, "md5": "11111111111111111111111111111111", "note": "few-kmers"}], "spots": 10, "spots_passed": 9, "reads": 18, "bases": 1800, "source": "remote", "source_size": 1234, "source_sha256": "", "source_mtime": 0.0, "validated": false, "tools": {"wort": "0.1.0"}, "argv": ["fastq-dump", "-Z", "SRR000008"], "slices": 1, "engine": "sourmash", "started_at": 1700000000.5, "seconds": 1.25, "host": "here", "decoders": []}','s3://wort-sra/sigs/SRR000008.sig');
INSERT INTO "signatures" VALUES('mine','sra-v1','9999999999999999999999999999999999999999999999999999999999999999','computed','sigs/mine/mine.sig',99,1.79571102161529898644e+09,'{"name": "mine", "profile": "sra-v1", "digest": "9999999999999999999999999999999999999999999999999999999999999999", "sketches": [{"ksize": 21, "hashes": 2, "abundance_sum": 3, "md5": "00000000000000000000000000000000", "note": ""}, {"ksize": 31, "hashes": 0, "abundance_sum": 0, "md5": "11111111111111111111111111111111", "note": "few-kmers"}], "spots": 10, "spots_passed": 9, "reads": 18, "bases": 1800, "source": "/archives/mine.sra", "source_size": 1234, "source_sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "source_mtime": 1700000000.0, "validated": false, "tools": {"wort": "0.1.0"}, "argv": ["fastq-dump", "-Z", "mine"], "slices": 1, "engine": "sourmash", "started_at": 1700000000.5, "seconds": 1.25, "host": "here", "decoders": []}','');
INSERT INTO "signatures" VALUES('SRR000010','sra-v1','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','verified','sigs/SRR000/SRR000010.sig',99,1.79571102164362978934e+09,'{"name": "SRR000010", "profile": "sra-v1", "digest": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "sketches": [{"ksize": 21, "hashes": 2, "abundance_sum": 3, "md5": "00000000000000000000000000000000", "note": ""}, {"ksize": 31, "hashes": 0, "abundance_sum": 0, "md5": "11111111111111111111111111111111", "note": "few-kmers"}], "spots": 10, "spots_passed": 9, "reads": 18, "bases": 1800, "source": "remote", "source_size": 1234, "source_sha256": "", "source_mtime": 0.0, "validated": false, "tools": {"wort": "0.1.0"}, "argv": ["fastq-dump", "-Z", "SRR000010"], "slices": 1, "engine": "sourmash", "started_at": 1700000000.5, "seconds": 1.25, "host": "here", "decoders": []}','');
CREATE TABLE submissions (
    name         TEXT    NOT NULL,
    profile      TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    trust        TEXT    NOT NULL,
    path         TEXT    NOT NULL UNIQUE,  -- of the original bytes, below the store's root
    size         INTEGER NOT NULL,
    sha256       TEXT    NOT NULL,         -- of the original bytes
    submitter    TEXT    NOT NULL,
    submitted_at REAL    NOT NULL,
    origin       TEXT    NOT NULL,         -- the file or URL that it came as
    url          TEXT    NOT NULL,         -- where the data are said to be
    source_check TEXT    NOT NULL,
    source_note  TEXT    NOT NULL,
    why          TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (digest, name)
) STRICT;
INSERT INTO "submissions" VALUES('SRR000010','sra-v1','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','verified','submitted/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/SRR000010.sig',99,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','ann',1795711021.62311,'SRR000010.sig','','public','ENA knows it','verified (full)');
INSERT INTO "submissions" VALUES('SRR000011','sra-v1','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','unverified','submitted/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/SRR000011.sig',99,'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','ann',1.7957110216231532097e+09,'SRR000011.sig','https://example.org/x','public','ENA knows it','');
INSERT INTO "submissions" VALUES('SRR000012','sra-v1','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','mismatch','submitted/cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc/SRR000012.sig',99,'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','ann',1.7957110216231620312e+09,'SRR000012.sig','','public','ENA knows it','mismatch: k=21: 5 of 100 hashes differ');
CREATE INDEX jobs_by_name    ON jobs (name, profile, id);
CREATE INDEX jobs_by_state   ON jobs (state, reason);
CREATE INDEX jobs_by_group   ON jobs (group_name, state) WHERE group_name <> '';
CREATE INDEX jobs_running    ON jobs (owner) WHERE state = 'running';
CREATE INDEX jobs_to_wake    ON jobs (wait_until) WHERE state = 'waiting';
CREATE INDEX events_of_job ON events (job_id);
CREATE TRIGGER a_job_begins_queued BEFORE INSERT ON jobs WHEN NEW.state <> 'queued'
BEGIN SELECT RAISE(ABORT, 'a job begins queued'); END;
CREATE TRIGGER a_job_moves_legally BEFORE UPDATE OF state ON jobs
WHEN NEW.state <> OLD.state
 AND NOT EXISTS (SELECT 1 FROM legal_moves WHERE before = OLD.state AND after = NEW.state)
BEGIN SELECT RAISE(ABORT, 'illegal move of a job'); END;
CREATE TRIGGER a_job_stays BEFORE DELETE ON jobs
BEGIN SELECT RAISE(ABORT, 'a job is never deleted'); END;
CREATE TRIGGER a_job_was_added AFTER INSERT ON jobs
BEGIN
    INSERT INTO events (job_id, at, before, after, reason, message, attempt)
    VALUES (NEW.id, NEW.created_at, '', NEW.state, '', '', 0);
END;
CREATE TRIGGER a_job_moved AFTER UPDATE OF state ON jobs WHEN NEW.state <> OLD.state
BEGIN
    INSERT INTO events (job_id, at, before, after, reason, message, attempt)
    VALUES (NEW.id, (julianday('now') - 2440587.5) * 86400.0, OLD.state, NEW.state, NEW.reason, NEW.message, NEW.attempt);
    DELETE FROM progress WHERE job_id = NEW.id;
END;
CREATE UNIQUE INDEX jobs_one_live ON jobs (name, profile, kind, subject)
    WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX jobs_by_subject ON jobs (subject, id) WHERE subject <> '';
CREATE TRIGGER a_job_replaces_none BEFORE INSERT ON jobs
WHEN EXISTS (SELECT 1 FROM jobs WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM jobs WHERE name = NEW.name AND profile = NEW.profile
                                  AND kind = NEW.kind AND subject = NEW.subject
                                  AND state IN ('queued', 'running', 'waiting'))
BEGIN SELECT RAISE(ABORT, 'a job replaces no other'); END;
CREATE INDEX submissions_by_name ON submissions (name, profile);
CREATE TRIGGER a_submission_stays BEFORE DELETE ON submissions
BEGIN SELECT RAISE(ABORT, 'a submission is never deleted'); END;
CREATE INDEX jobs_to_run ON jobs (priority DESC, id) WHERE state = 'queued' AND held = 0;
CREATE TRIGGER a_group_was_paused AFTER INSERT ON paused_groups
BEGIN UPDATE jobs SET held = 1 WHERE group_name = NEW.name AND group_name <> '' AND state <> 'done'; END;
CREATE TRIGGER a_group_was_resumed AFTER DELETE ON paused_groups
BEGIN UPDATE jobs SET held = 0 WHERE group_name = OLD.name AND group_name <> '' AND held = 1; END;
CREATE TRIGGER a_job_was_added_to_a_group AFTER INSERT ON jobs
WHEN EXISTS (SELECT 1 FROM paused_groups WHERE name = NEW.group_name)
BEGIN UPDATE jobs SET held = 1 WHERE id = NEW.id; END;
CREATE TRIGGER a_job_changed_its_group AFTER UPDATE OF group_name ON jobs WHEN NEW.group_name <> OLD.group_name
BEGIN UPDATE jobs SET held = EXISTS (SELECT 1 FROM paused_groups WHERE name = NEW.group_name) WHERE id = NEW.id; END;
CREATE INDEX jobs_in_state ON jobs (state, id);
CREATE INDEX repairs_by_name ON repairs (name) WHERE name <> '';
CREATE TRIGGER a_new_job_is_counted AFTER INSERT ON jobs
BEGIN
    INSERT INTO job_counts VALUES (NEW.state, NEW.reason, 1) ON CONFLICT (state, reason) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER a_moved_job_is_counted AFTER UPDATE OF state, reason ON jobs
WHEN NEW.state <> OLD.state OR NEW.reason <> OLD.reason
BEGIN
    UPDATE job_counts SET n = n - 1 WHERE state = OLD.state AND reason = OLD.reason;
    INSERT INTO job_counts VALUES (NEW.state, NEW.reason, 1) ON CONFLICT (state, reason) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER a_move_is_counted AFTER INSERT ON events
BEGIN
    INSERT INTO move_counts VALUES (NEW.after, NEW.reason, 1) ON CONFLICT (after, reason) DO UPDATE SET n = n + 1;
END;
CREATE INDEX events_ended ON events (at, after, reason) WHERE after IN ('done', 'failed', 'unavailable', 'waiting');
CREATE INDEX jobs_queued ON jobs (id) WHERE state = 'queued';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',12);
COMMIT;
