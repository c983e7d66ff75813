"""Parsing of command lines: options, lists, sources, jobs and profiles."""
