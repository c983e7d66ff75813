-- Version 10 made no new rows possible.
SELECT 1;
