"""Decoders: they turn an archive's spots into text for hashing."""
