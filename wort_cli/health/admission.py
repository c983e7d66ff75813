"""Whether any job may begin: pure decisions of free disk, load and what is to be left alone.

Once a job begins, what it takes in particular is looked at by the pipeline (pipeline/guards.py).
"""

import errno
import os
import tempfile
from collections.abc import Sequence

from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings
from wort_cli.system.machine import Disk, disk_of, existing, load


def low_disks(disks: Sequence[Disk], reserve: int) -> list[str]:
    """A sentence for each disk of which no more is free than its reserve; directories of one disk are one."""
    seen: dict[int, Disk] = {}
    for disk in disks:
        seen.setdefault(disk.device, disk)
    return [
        f"{format_bytes(disk.free)} are free at {disk.path}, {format_bytes(disk.reserve(reserve))} are kept in reserve"
        for disk in seen.values()
        if disk.free <= disk.reserve(reserve)
    ]


def why_blocked(disks: Sequence[Disk], reserve: int, load_now: float, max_load: float) -> str:
    """Why no further job begins now; '' if one may."""
    for sentence in low_disks(disks, reserve):
        return f"no job begins: {sentence}"
    if max_load and load_now >= max_load:
        return f"no job begins: the load is {load_now:.1f}, and max_load is {max_load:g}"
    return ""


def disks_of(settings: Settings) -> list[Disk]:
    """The disks that jobs and the ledger need."""
    return [disk_of(path) for path in (settings.data_dir, settings.store_dir, settings.work_dir, settings.state_dir)]


def unwritable_directory(disks: Sequence[Disk]) -> str:
    """A sentence of the first place to which nothing can be written, '' if there is none.

    Its disk is breaking, or was mounted anew for reading only, as the kernel does then.  A byte is written and synced,
    into a file without a name.
    """
    for place in dict.fromkeys(existing(disk.path) for disk in disks):
        try:
            with tempfile.TemporaryFile(dir=place, buffering=0) as file:
                file.write(b"x")
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):  # of full ones, the reserve tells
                return f"nothing can be written to {place}: {error.strerror}"
    return ""


def why_blocked_now(settings: Settings) -> str:
    """Why no further job begins on this machine; OSError if a disk can't be asked."""
    return why_blocked(disks_of(settings), settings.disk_reserve, load(), settings.max_load)
