"""Checks in each turn that the daemon still has the files of its home: ledger, lock file and directories.

What was removed is created again.  If the whole home was removed or moved away, or another daemon has its lock, the
daemon ends.  The queue and the health file are checked where they are written (coordinator.py, health_writer.py).
"""

import logging
import time
from collections.abc import Callable

from wort_cli.daemon.network_watch import NetworkWatch
from wort_cli.errors import HomeLost, StorageProblem
from wort_cli.ledger.open_file import OpenLedgerFile
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import DaemonLock

LOST_AFTER = 4.0
"""Seconds for which the home must be missing before the daemon ends; a network disk may be away for a moment."""
log = logging.getLogger(__name__)


class HomeGuard:
    """Keeps the daemon from working on with files that are no longer its own."""

    def __init__(
        self,
        lock: DaemonLock,
        ledger_file: OpenLedgerFile,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        network: NetworkWatch | None = None,
    ) -> None:
        self._network = network or NetworkWatch(settings)
        self._lock = lock
        self._ledger_file = ledger_file
        self._settings = settings
        self._clock = clock
        self._missing_since: float | None = None

    def check(self) -> None:
        """Create again what was removed.

        Raises HomeLost if the daemon has to end, StorageProblem if it must not change anything for now.
        """
        self._network.check()  # before any file is touched
        self._check_lock()  # first, so that the daemon can be found and stopped whatever happened to the ledger
        self._ledger_file.check()
        if removed := [str(directory) for directory in self._settings.directories if not directory.exists()]:
            self._settings.make_directories()
            log.warning("%s was removed; it was created again", ", ".join(removed))

    def ledger_is_ours(self) -> bool:
        """Return whether the ledger is the file that the daemon opened."""
        try:
            self._ledger_file.check()
        except StorageProblem:
            return False
        return True

    def _check_lock(self) -> None:
        path = self._lock.path
        try:
            if self._lock.restore():
                log.warning("%s was removed or replaced; it was created again", path)
            self._missing_since = None
        except BlockingIOError:
            raise HomeLost(f"another daemon has locked {path}") from None
        except FileNotFoundError:
            now = self._clock()
            self._missing_since = now if self._missing_since is None else self._missing_since
            sentence = f"{path.parent} was removed or moved away"
            if now - self._missing_since > LOST_AFTER:
                raise HomeLost(sentence) from None
            raise StorageProblem(sentence) from None
        except OSError as error:
            raise StorageProblem(f"{path} cannot be created again: {error.strerror}") from error
