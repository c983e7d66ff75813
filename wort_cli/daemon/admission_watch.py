"""Checks once a second whether jobs may start, and logs when the answer changes.

If the disk is low, archives are removed from the cache first: a cache must not keep jobs from starting.
"""

import logging
import time
from collections.abc import Callable

from wort_cli.errors import cause_of
from wort_cli.health.admission import disks_of, unwritable_directory, why_blocked_now
from wort_cli.pipeline.archive_cache import ArchiveCache
from wort_cli.settings import Settings

CHECK_EVERY = 1.0
"""Seconds between checks of free space and load."""
WRITE_EVERY, WRITE_DAMAGED_EVERY = 30.0, 5.0
"""Seconds between test writes to the disks: usually, and while one cannot be written."""

log = logging.getLogger(__name__)


class AdmissionWatch:
    """Keeps jobs from starting while a disk is low or cannot be written, or the load is high."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.blocked_by = ""
        """Why no job may start; empty if jobs may start."""
        self.disk_damage = ""
        """A sentence about the disk that cannot be written; empty if all can."""
        self._checked_at = self._wrote_at = float("-inf")

    def check(self, settings: Settings) -> str:
        """Return why no job may start; empty if jobs may start."""
        if self._clock() - self._checked_at < CHECK_EVERY:
            return self.blocked_by
        self._checked_at = self._clock()
        try:
            self._write_to_disks(settings)
            ArchiveCache.of_home(settings).free_disk(settings.disk_reserve)
            blocked_by = f"no job starts: {self.disk_damage}" if self.disk_damage else why_blocked_now(settings)
        except OSError as error:
            blocked_by = f"no job starts: a disk cannot be examined: {cause_of(error)}"
        if bool(blocked_by) != bool(self.blocked_by):
            log.warning("%s", blocked_by or "jobs may start again")
        self.blocked_by = blocked_by
        return blocked_by

    def check_disks_now(self) -> None:
        """Make the next `check` write to the disks.  Called when a job has failed with a disk error."""
        self._checked_at = self._wrote_at = float("-inf")

    def _write_to_disks(self, settings: Settings) -> None:
        now = self._clock()
        if now - self._wrote_at >= (WRITE_DAMAGED_EVERY if self.disk_damage else WRITE_EVERY):
            self.disk_damage = unwritable_directory(disks_of(settings))
            self._wrote_at = now
