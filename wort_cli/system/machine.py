"""Reads the free disk space, the available memory and the load of this machine.

Decisions based on them are made elsewhere (health/admission.py, pipeline/resources.py).  The available memory is the
kernel's estimate of what can be allocated without swapping (MemAvailable), or less if a control group (of a container,
a systemd unit or a batch job) sets a limit.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
PAGE = os.sysconf("SC_PAGE_SIZE")
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
    return min([free, *cgroup_memory(proc, cgroups)])


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


def killed_for_memory(proc: Path = PROC) -> int | None:
    """Return how many processes the kernel has killed for memory since the boot; None if it does not say.

    Source: `oom_kill` in /proc/vmstat, which counts kills in control groups too.
    """
    try:
        words = (line.split() for line in (proc / "vmstat").read_text().splitlines())
        return next((int(word[1]) for word in words if word[0] == "oom_kill"), None)
    except (OSError, ValueError, IndexError):
        return None


@dataclass(frozen=True)
class MemoryFiles:
    """The files of a control group that have its limit and its use of memory."""

    root: str
    """The directory of the hierarchy, below that of all control groups."""
    limit: str
    used: str
    cache: str
    """The key in memory.stat of the page cache that the kernel frees when memory is needed."""


V1 = MemoryFiles("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
"""See the kernel's cgroup-v1/memory.rst."""
V2 = MemoryFiles("", "memory.max", "memory.current", "inactive_file")
"""See the kernel's cgroup-v2.rst."""


def cgroup_memory(proc: Path, cgroups: Path) -> Iterator[int]:
    """Yield the available memory in each control group of this process."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, own = line.split(":", 2)
        if number == "0" or "memory" in controllers.split(","):
            yield from group_memory(cgroups, own.lstrip("/"), V2 if number == "0" else V1)


def group_memory(cgroups: Path, own: str, files: MemoryFiles) -> Iterator[int]:
    """Yield the available memory in a control group and in those above it."""
    group = cgroups / files.root / own
    for place in (group, *group.parents):
        if not place.is_relative_to(cgroups / files.root):
            return
        try:
            limit, used = (place / files.limit).read_text().strip(), int((place / files.used).read_text())
            if limit == "max":
                continue
            words = dict(line.split() for line in (place / "memory.stat").read_text().splitlines())
            # The page cache counts as used, but the kernel frees it when memory is needed.
            yield max(0, int(limit) - used + int(words.get(files.cache, 0)))
        except (OSError, ValueError):  # the root group of version 2 has no such files
            continue


def load() -> float:
    """Return the mean number of processes that ran or waited for a core or a disk in the last minute."""
    return os.getloadavg()[0]
