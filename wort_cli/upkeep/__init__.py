"""Upkeep of a home: leftover files, inconsistencies between ledger and store, and backups of the ledger.

The daemon's housekeeping and `wort doctor` both use it.  Decisions on what to keep are pure functions in retention.py.
"""
