"""Writes catalogs: the sketches of all signatures as one table."""
