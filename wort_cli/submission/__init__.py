"""Signatures that others submit.  Nothing that arrives here is trusted.

intake.py accepts a submission: reading/sandbox.py reads the file in a process of its own, and
pipeline/projects/run_lookup.py asks ENA and NCBI about the run.  public_url.py requests a URL, if it is public.
Only intake.py knows the ledger.
"""
