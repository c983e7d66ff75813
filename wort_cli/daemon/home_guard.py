"""Checks in each turn that the daemon still has the files of its home: the ledger and the lock file."""

import logging

from wort_cli.errors import StorageProblem
from wort_cli.ledger.open_file import OpenLedgerFile
from wort_cli.system.daemon_lock import DaemonLock

log = logging.getLogger(__name__)


class HomeGuard:
    """Keeps the daemon from working on with files that are no longer its own."""

    def __init__(self, lock: DaemonLock, ledger_file: OpenLedgerFile) -> None:
        self._lock = lock
        self._ledger_file = ledger_file

    def check(self) -> None:
        """Raise StorageProblem if the ledger was replaced; create the lock file again if it was removed."""
        self._ledger_file.check()
        try:
            if self._lock.restore():
                log.warning("%s was removed or replaced; it was created again", self._lock.path)
        except OSError as error:
            raise StorageProblem(f"{self._lock.path} cannot be created again: {error.strerror}") from error

    def ledger_is_ours(self) -> bool:
        """Return whether the ledger is the file that the daemon opened."""
        try:
            self._ledger_file.check()
        except StorageProblem:
            return False
        return True
