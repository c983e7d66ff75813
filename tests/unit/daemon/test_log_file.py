"""The log on a full disk, which /dev/full is."""

import logging

import pytest

from wort_cli.daemon.log_file import FollowedLog


def test_a_full_disk_does_not_end_who_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = FollowedLog("/dev/full", delay=True)
    for number in range(3):  # from the second on there is a rest of those before
        handler.handle(logging.LogRecord("x", logging.INFO, "x", 1, "record %d", (number,), None))
    with pytest.raises(OSError, match="No space left"):
        handler.close()
