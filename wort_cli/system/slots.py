"""Slots: at most so many processes and threads of this machine do something at the same time.

A slot is a locked file (flock).  The kernel releases it when its process ends, however it ends.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from wort_cli.system.cancellation import NEVER, Cancellation

CHECK_INTERVAL = 0.05
"""Seconds between two looks for a free slot."""


class Slots:
    """`number` slots below `directory` that all users of the same `name` share."""

    def __init__(self, directory: Path, name: str, number: int) -> None:
        self._directory = directory
        self._name = name
        self._number = number

    @contextlib.contextmanager
    def taken(self, cancellation: Cancellation = NEVER) -> Iterator[None]:
        """Hold a slot, waiting until one is free.

        Raises Cancelled if the job is cancelled meanwhile, OSError if the directory cannot be written.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        while (descriptor := self._try_all()) is None:
            cancellation.check()
            time.sleep(CHECK_INTERVAL)
        try:
            yield
        finally:
            os.close(descriptor)

    def _try_all(self) -> int | None:
        """Return the descriptor of a slot that was free, None if there is none."""
        for number in range(self._number):
            file = self._directory / f"{self._name}.{number}"
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                os.close(descriptor)
        return None
