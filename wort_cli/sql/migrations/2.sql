-- Version 2 of the ledger: nothing changes.
SELECT 1;
