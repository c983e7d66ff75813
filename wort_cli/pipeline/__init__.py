"""How a signature is computed: run.py has the stages in their order, each other file one of them.

Nothing here knows the ledger, the queue or the terminal; `run.run_job` takes a JobSpec and gives a JobResult.
"""
