"""What keeps a home in order: what is left over, what does not fit together, and copies of the ledger.

The daemon's housekeeping and `wort doctor` both look here; what to keep is decided by pure functions (keeping.py).
"""
