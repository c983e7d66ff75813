"""Benchmarks: wort compared with the reference pipeline (`make bench`), and its parts alone."""
