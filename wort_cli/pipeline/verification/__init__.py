"""Verification: a stored signature is compared with a recomputation of the run."""
