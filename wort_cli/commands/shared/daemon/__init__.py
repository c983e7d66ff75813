"""The state of the daemon, as commands print it."""
