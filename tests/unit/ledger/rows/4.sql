-- Rows that version 4 made possible: a job that survived crashes of the daemon, a paused group with two jobs.
INSERT INTO jobs (name, profile, created_at, crashes, crashes_work) VALUES ('SRR000040', 'sra-v1', 1700000040.0, 2, 5);
INSERT INTO jobs (name, profile, created_at, group_name) VALUES ('SRR000041', 'sra-v1', 1700000041.0, 'later');
INSERT INTO paused_groups VALUES ('later');
INSERT INTO jobs (name, profile, created_at, group_name) VALUES ('SRR000042', 'sra-v1', 1700000042.0, 'later');
INSERT INTO control VALUES ('killed', ''), ('written_at', '1700000043');
