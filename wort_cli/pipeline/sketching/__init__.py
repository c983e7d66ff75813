"""Sketching: reads are hashed, the hashes are counted, slices are added up."""
