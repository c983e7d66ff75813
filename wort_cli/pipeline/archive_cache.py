"""The cache of fetched archives, for another profile or a verification that comes soon (setting `cache_bytes`).

    archives/ACC-TIME/      what was fetched of a run's archive: the sparse file and its map (archives/partial.py)

A job that needs a run moves its directory into the workspace, and a job that has succeeded moves it back.  So one job
at a time has it, and another job of the same run fetches its own.  Nothing in the cache is trusted: a job compares
what it takes with the sums again.  The oldest are removed if all are larger than `cache_bytes`, or if a job or the
reserve of the disk needs the space.
"""

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Self

from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.reservations import size_of
from wort_cli.settings import Settings
from wort_cli.system.machine import disk_of
from wort_cli.system.private_files import make_private

DOOMED = ".gone-"
"""The prefix of a directory that is being removed."""


class ArchiveCache:
    """The cache of one home; safe to use from several processes."""

    def __init__(self, directory: Path | None, most: int) -> None:
        self._directory = directory
        """None for no cache."""
        self._most = most
        """Bytes of all archives together."""

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """Return the cache of the home that a job belongs to."""
        return cls(spec.cache.archive_cache_dir, spec.cache.cache_bytes)

    @classmethod
    def of_home(cls, settings: Settings) -> Self:
        """Return the cache of a home."""
        return cls(settings.archive_cache_dir, settings.cache_bytes)

    def take(self, run: str, target: Path) -> bool:
        """Move the newest archive of a run to `target`, which must not exist; return whether there was one."""
        for entry in reversed(self.entries()):
            if entry.name.partition("-")[0] == run and not target.exists():
                make_private(target.parent)
                with contextlib.suppress(OSError):  # another process has taken or removed it
                    entry.rename(target)
                    return True
        return False

    def keep(self, run: str, archive: Path) -> None:
        """Move the directory of a fetched archive here, in place of earlier ones of the same run; then trim.

        Without a cache, or if the directory cannot be moved, it is removed.
        """
        if not archive.is_dir():
            return
        earlier = [entry for entry in self.entries() if entry.name.partition("-")[0] == run]
        try:
            if self._directory is not None and self._most:
                make_private(self._directory)
                archive.rename(self._directory / f"{run}-{time.time_ns()}")
        except OSError:  # such as another file system, or a disk without a free inode
            pass
        else:
            for entry in earlier:
                remove(entry)
        shutil.rmtree(archive, ignore_errors=True)
        self.trim()

    def trim(self) -> None:
        """Remove the oldest archives until all together have at most the allowed bytes."""
        for entry in self.excess():
            remove(entry)

    def excess(self) -> list[Path]:
        """Return the oldest archives, without which the others have at most the allowed bytes."""
        entries = self.entries()
        sizes = [size_of(entry) for entry in entries]
        return [entry for n, entry in enumerate(entries) if sum(sizes[n:]) > self._most]

    def remove_oldest(self) -> bool:
        """Remove the oldest archive, because its space is needed; return False if there is none."""
        entries = self.entries()
        if not entries:
            return False
        remove(entries[0])
        return True

    def free_disk(self, reserve: int) -> None:
        """Remove the oldest archives while the disk has less free space than its reserve.  Raises OSError."""
        while self._directory is not None and self.entries():
            disk = disk_of(self._directory)
            if disk.free > disk.reserve(reserve) or not self.remove_oldest():
                return

    def entries(self) -> list[Path]:
        """Return the directories of all archives, oldest first."""
        found: list[Path] = []
        with contextlib.suppress(OSError):
            if self._directory is not None:
                found = [Path(entry.path) for entry in os.scandir(self._directory) if not entry.name.startswith(DOOMED)]
        return sorted(found, key=lambda entry: (entry.name.rpartition("-")[2].zfill(20), entry.name))

    def remains(self) -> list[Path]:
        """Return what interrupted removals left."""
        return sorted(self._directory.glob(f"{DOOMED}*")) if self._directory is not None else []


def remove(directory: Path) -> bool:
    """Remove a directory that another process may be about to take; return whether this call removed it."""
    doomed = directory.with_name(f"{DOOMED}{directory.name}-{time.time_ns()}")
    try:
        directory.rename(doomed)
    except OSError:
        return False
    shutil.rmtree(doomed, ignore_errors=True)
    return True
