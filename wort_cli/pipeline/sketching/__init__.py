"""Sketching: hash the reads of each slice, count the hashes, and add up the slices."""
