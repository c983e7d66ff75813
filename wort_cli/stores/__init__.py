"""Where signatures are kept: on this machine (local.py), and in a bucket where others find them (shared.py, s3.py)."""
