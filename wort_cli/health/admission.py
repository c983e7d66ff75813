"""Admission: whether any job may start on this machine, from the free disk space, the load and the settings.

What a particular job needs is checked when it runs (pipeline/resources.py).
"""

import errno
import os
from collections.abc import Sequence

from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings
from wort_cli.system.machine import Disk, disk_of, load, nearest_existing


def low_disks(disks: Sequence[Disk], reserve: int) -> list[str]:
    """Return a sentence for each disk whose free space has fallen to its reserve, however many directories it has."""
    seen: dict[int, Disk] = {}
    for disk in disks:
        seen.setdefault(disk.device, disk)
    return [
        f"{format_bytes(disk.free)} are free at {disk.path}, {format_bytes(disk.reserve(reserve))} are kept in reserve"
        for disk in seen.values()
        if disk.free <= disk.reserve(reserve)
    ]


def why_blocked(disks: Sequence[Disk], reserve: int, load_now: float, max_load: float) -> str:
    """Return why no job may start; empty if jobs may start.  `max_load` 0 means no limit."""
    for sentence in low_disks(disks, reserve):
        return f"no job starts: {sentence}"
    if max_load and load_now >= max_load:
        return f"no job starts: the load is {load_now:.1f}, and max_load is {max_load:g}"
    return ""


def disks_of(settings: Settings) -> list[Disk]:
    """Return the disks that jobs and the ledger write to.  Raises OSError if one cannot be examined."""
    return [disk_of(path) for path in (settings.data_dir, settings.store_dir, settings.work_dir, settings.state_dir)]


def unwritable_directory(disks: Sequence[Disk]) -> str:
    """Return a sentence about the first directory that cannot be written; empty if all can.

    Such a disk is failing, or the kernel has remounted it read-only because of errors.  The test writes and syncs a
    byte in an unnamed file.
    """
    import tempfile

    for place in dict.fromkeys(nearest_existing(disk.path) for disk in disks):
        try:
            with tempfile.TemporaryFile(dir=place, buffering=0) as file:
                file.write(b"x")
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):  # a full disk is reported by low_disks
                return f"nothing can be written to {place}: {error.strerror}"
    return ""


def why_blocked_now(settings: Settings) -> str:
    """Return why no job may start now; empty if jobs may start.  Raises OSError if a disk cannot be examined."""
    return why_blocked(disks_of(settings), settings.disk_reserve, load(), settings.max_load)
