"""Watches whether the network file systems that the daemon uses answer: the directories of archives, and of its home.

The daemon's loop does not wait for them: child processes look (system/network_disks.py), and each turn sees what they
have found.  An archive directory that is silent is reported; jobs that need it wait.  While a directory of the home is
silent, turns do nothing.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from wort_cli.errors import NoAnswer
from wort_cli.settings import Settings
from wort_cli.system.network_disks import Look, Mount, network_mount, network_mounts

LOOK_EVERY = 5.0
"""Seconds between two looks at a mount."""


class NetworkWatch:
    """Remembers since when each mount has been silent."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looks: dict[Mount, Look] = {}
        self._looked_at = float("-inf")
        self.reconfigure(settings)

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings from now on."""
        self._settings = settings

    @property
    def silent_archives(self) -> str:
        """A sentence about the first archive directory that does not answer; empty if all do."""
        return next((error.sentence for error in self._silent(self._settings.archives)), "")

    def check(self) -> None:
        """Look, if it is time.  Raises NoAnswer if a directory of the home does not answer."""
        now = self._clock()
        if now - self._looked_at > LOOK_EVERY:
            self._looked_at = now
            self._start_looks()
        for mount, look in list(self._looks.items()):
            if look.has_answer():
                look.close()
                del self._looks[mount]
        for error in self._silent(self._home()):
            raise error

    def close(self) -> None:
        """Wait no longer for any answer."""
        for look in self._looks.values():
            look.close()
        self._looks.clear()

    def _home(self) -> tuple[Path, ...]:
        settings = self._settings
        return (*settings.directories, settings.work_dir)

    def _start_looks(self) -> None:
        by_mount: dict[Mount, list[Path]] = {}
        table = network_mounts()
        for path in (*self._home(), *self._settings.archives):
            if (mount := network_mount(path, table)) is not None:
                by_mount.setdefault(mount, []).append(path)
        for mount, paths in by_mount.items():
            if mount not in self._looks:
                self._looks[mount] = Look(mount, paths)

    def _silent(self, paths: Iterable[Path]) -> Iterable[NoAnswer]:
        late = [look.mount for look in self._looks.values() if look.is_late]
        if not late:
            return
        for path in paths:
            mount = network_mount(path)
            if mount in late:
                yield NoAnswer(path, mount.kind, mount.point, self._settings.answer_timeout)
