"""Signatures as commands show them: facts, comparisons and histograms."""
