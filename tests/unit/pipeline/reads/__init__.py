"""Tests of wort_cli/pipeline/reads."""
