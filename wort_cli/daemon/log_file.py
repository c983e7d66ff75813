"""The daemon's log as its workers write it: they follow the file when it is rotated, and a full disk does not end them.

Python's own handler forgives a record that can't be written, but not the rest of it that is still to be written when it
looks whether the file was rotated: then the error goes to whoever wanted to log, of all times while a disk is full.
"""

import logging
import logging.handlers


class FollowedLog(logging.handlers.WatchedFileHandler):
    """A WatchedFileHandler for which logging never fails."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or tell `handleError` that it could not be."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)
