-- Rows that version 19 made possible: a signature that was submitted at the page of the server, and refused.
INSERT INTO intakes (id, submitter, origin, received_at, state, step, why, place, hint, ended_at)
VALUES ('7Jr3kQ0pXw2Z', 'lab', 'SRR000001.sig', 1795780800.0, 'refused', 'md5', 'its md5sum is wrong', 'signature, sketch 1',
        'download it again', 1795780801.0);
