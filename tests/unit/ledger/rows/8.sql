-- Version 8 made no new rows possible.
SELECT 1;
