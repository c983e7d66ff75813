-- Version 10: the progress of a job has the first report of its stage, from which the time that is left is estimated.

ALTER TABLE progress ADD COLUMN first_spots INTEGER NOT NULL DEFAULT 0;
ALTER TABLE progress ADD COLUMN first_at REAL NOT NULL DEFAULT 0;
