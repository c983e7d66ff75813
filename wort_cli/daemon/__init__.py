"""The daemon: it takes jobs from the ledger, has workers run them, and records their results.

service.py is the main program, coordinator.py decides, queue.py and workers.py wrap Huey, worker.py runs inside a
worker process, and control.py is how commands start and stop the daemon.
"""
