"""Helpers that several commands share: options, tables, progress bars, exit codes."""
