"""Measurements against the reference pipeline, run side by side: `make bench`."""
