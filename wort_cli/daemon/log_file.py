"""The log handler of the daemon's child processes: it follows log rotation and survives a full disk.

The standard WatchedFileHandler forgives a record that cannot be written.  But when it checks whether the file was
rotated, it flushes its buffer, and an error there reaches the code that logs.  That happens when a disk is full.
"""

import logging
import logging.handlers


class FollowedLog(logging.handlers.WatchedFileHandler):
    """A WatchedFileHandler whose `emit` never raises OSError."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; pass an OSError to `handleError`."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)
