"""Logging to a full disk, for which /dev/full stands in."""

import logging

import pytest

from wort_cli.daemon.log_file import FollowedLog


def test_full_disk_raises_no_error_in_the_code_that_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = FollowedLog("/dev/full", delay=True)
    for number in range(3):  # from the second on, the buffer still has the earlier ones
        handler.handle(logging.LogRecord("x", logging.INFO, "x", 1, "record %d", (number,), None))
    with pytest.raises(OSError, match="No space left"):
        handler.close()
