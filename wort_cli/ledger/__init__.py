"""The ledger: an SQLite file with all jobs, their events and the catalog of signatures."""
