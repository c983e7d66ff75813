"""Signatures from others, before they are kept: nothing that comes in here is believed.

sandbox.py has check.py read a file in a process of its own, by the strict grammar of strict.py; public_url.py asks a
URL, and only a public one; archives.py asks the public archives about a run.  Nothing here knows the ledger.
"""
