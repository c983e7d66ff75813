"""The pipeline: computes or verifies the signature of a run.

`run.run_job` takes a JobSpec and returns a JobResult; run.py has the stages in their order, and each other module is a
stage or a part of one.  Nothing here uses the ledger, the queue or the terminal.
"""
