"""Reads the free disk space, the available memory and the load of this machine.

Decisions based on them are made elsewhere (health/admission.py, pipeline/resources.py).  The available memory is the
kernel's estimate of what can be allocated without swapping (MemAvailable), or less if a control group or a batch system
sets a limit; so are the cores.
"""

import math
import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

from wort_cli.system.batch_job import Grant, granted_cores, granted_memory
from wort_cli.system.control_groups import CGROUPS, PROC, core_limits, memory_left

PAGE = os.sysconf("SC_PAGE_SIZE")
AFFINITY, CONTROL_GROUP = "the cores of this machine", "a control group"
NO_LIMIT = Grant(sys.maxsize, "")
RESERVE_SHARE, LARGEST_RESERVE = 0.05, 1_000_000_000
"""The default reserve of a disk: a share of its size, and at most so many bytes."""


@dataclass(frozen=True)
class Disk:
    """A file system and its space in bytes."""

    path: Path
    device: int
    free: int
    """Free bytes for users other than root."""
    total: int

    def reserve(self, wanted: int = 0) -> int:
        """Return the bytes that stay free: `wanted`, or the default reserve if that is 0."""
        return wanted or min(LARGEST_RESERVE, int(self.total * RESERVE_SHARE))


def disk_of(path: Path) -> Disk:
    """Return the disk of a path, which need not exist yet.  Raises OSError if the disk cannot be read."""
    place = nearest_existing(path)
    found = os.statvfs(place)
    return Disk(path, place.stat().st_dev, found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def nearest_existing(path: Path) -> Path:
    """Return a path if it exists, else its nearest parent directory that exists."""
    return next(place for place in (path, *path.parents) if place.exists())


def available_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Return the available memory in bytes.  Raises OSError or ValueError if /proc cannot be read."""
    words = (line.split() for line in (proc / "meminfo").read_text().splitlines())
    free = next((int(word[1]) * 1024 for word in words if word[0] == "MemAvailable:"), None)
    if free is None:
        raise ValueError(f"{proc / 'meminfo'} has no MemAvailable")
    return min(free, memory_limit(proc, cgroups).amount)


def memory_limit(proc: Path = PROC, cgroups: Path = CGROUPS) -> Grant:
    """Return the bytes that this process may still use by the smallest limit, and which that is; NO_LIMIT for none.

    A limit of the address space (`ulimit -v`) is how Grid Engine and others enforce the memory of a job.
    """
    found = [Grant(left, CONTROL_GROUP) for left in memory_left(proc, cgroups)]
    if granted := granted_memory():
        found.append(Grant(max(0, granted.amount - resident_memory(os.getpid())), granted.origin))
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if space != resource.RLIM_INFINITY:
        found.append(Grant(max(0, space - address_space(os.getpid())), "ulimit -v"))
    return min(found, default=NO_LIMIT)


def available_cores(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Return the number of cores that this process may keep busy, at least 1."""
    return core_limit(proc, cgroups).amount


def core_limit(proc: Path = PROC, cgroups: Path = CGROUPS) -> Grant:
    """Return the number of cores that this process may keep busy, at least 1, and what limits them."""
    affinity = Grant(len(os.sched_getaffinity(0)), AFFINITY)
    groups = (Grant(math.ceil(cores), CONTROL_GROUP) for cores in core_limits(proc, cgroups))
    granted = granted_cores()
    return min([affinity, *groups, *([granted] if granted else [])], key=lambda grant: grant.amount)


def total_memory(proc: Path = PROC) -> int:
    """Return the memory of this machine in bytes.  Raises OSError or ValueError if /proc cannot be read."""
    words = (line.split() for line in (proc / "meminfo").read_text().splitlines())
    found = next((int(word[1]) * 1024 for word in words if word[0] == "MemTotal:"), None)
    if found is None:
        raise ValueError(f"{proc / 'meminfo'} has no MemTotal")
    return found


def resident_memory(pid: int) -> int:
    """Return the resident memory of a process in bytes; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0


def address_space(pid: int) -> int:
    """Return the size of the address space of a process in bytes; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0


def killed_for_memory(proc: Path = PROC) -> int | None:
    """Return how many processes the kernel has killed for memory since the boot; None if it does not say.

    Source: `oom_kill` in /proc/vmstat, which counts kills in control groups too.
    """
    try:
        words = (line.split() for line in (proc / "vmstat").read_text().splitlines())
        return next((int(word[1]) for word in words if word[0] == "oom_kill"), None)
    except (OSError, ValueError, IndexError):
        return None


def load() -> float:
    """Return the mean number of processes that ran or waited for a core or a disk in the last minute."""
    return os.getloadavg()[0]
