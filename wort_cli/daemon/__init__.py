"""The daemon: takes jobs from the ledger, has workers do them, and writes down how they ended.

service.py is its life, coordinator.py its decisions, queue.py and workers.py its Huey, worker.py what runs inside a
worker process; control.py is how commands reach it.
"""
