"""Signatures that others submit.  Nothing that arrives here is trusted.

intake.py accepts a submission.  sandbox.py runs reader_process.py, which reads the file in a process of its own by the
grammar of strict.py.  public_url.py requests a URL, if it is public.  run_lookup.py asks ENA and NCBI about a run.
Only intake.py knows the ledger.
"""
