"""Shared code of the commands of `wort follow`."""
