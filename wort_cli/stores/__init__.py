"""Where signatures are kept: on this machine (local.py)."""
