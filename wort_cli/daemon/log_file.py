"""The log of the daemon and of workers, and the handler of their child processes, which follows log rotation.

The standard WatchedFileHandler forgives a record that cannot be written.  But when it checks whether the file was
rotated, it flushes its buffer, and an error there reaches the code that logs.  That happens when a disk is full.
"""

import contextlib
import logging
import logging.handlers
import os
import sys

from wort_cli.settings import Settings

LOG_SIZE, LOG_FILES = 5_000_000, 5


class FollowedLog(logging.handlers.WatchedFileHandler):
    """A WatchedFileHandler whose `emit` never raises OSError."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; pass an OSError to `handleError`."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)


def start_logging(settings: Settings, *, foreground: bool) -> None:
    """Log to the rotating file, and to stderr in the foreground.

    Only the daemon rotates the file; a worker reopens it by name after a rotation.
    """
    logging.raiseExceptions = False  # a full disk must not print tracebacks to the terminal
    rotating = logging.handlers.RotatingFileHandler(settings.daemon_log, maxBytes=LOG_SIZE, backupCount=LOG_FILES)
    following = FollowedLog(settings.daemon_log, delay=True)
    handlers: list[logging.Handler] = [rotating, *([logging.StreamHandler(sys.stderr)] if foreground else [])]
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s")
    for handler in (*handlers, following):
        handler.setFormatter(formatter)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.handlers[:] = handlers
    for library in ("huey", "botocore", "boto3", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)

    def follow() -> None:
        with contextlib.suppress(OSError):  # closing flushes the buffer, which fails on a full disk
            rotating.close()  # the child's copy
        root.handlers[:] = [following]

    os.register_at_fork(after_in_child=follow)
