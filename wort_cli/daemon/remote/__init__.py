"""Workers on other hosts: what the coordinator and the workers exchange through a PostgreSQL or Redis server.

The ledger is the truth, and the queue may lose everything.  The coordinator writes one document, the *board*, that
names the attempts that are current; a worker that does not find its attempt there ends it and publishes nothing.  A
worker writes one *beat* for all its jobs, and sends each answer again until the board no longer names the attempt.
"""
