"""What this machine has left: free disk, available memory, load.  Readings only; what follows from them is elsewhere.

Memory is what the kernel thinks can be had without swapping (MemAvailable), or less, where a control group (a
container, a systemd unit, a batch system's job) sets a limit.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
PAGE = os.sysconf("SC_PAGE_SIZE")
RESERVE_SHARE, LARGEST_RESERVE = 0.05, 1_000_000_000
"""Of a disk's bytes, those that are left alone where no setting says how many."""


@dataclass(frozen=True)
class Disk:
    """A file system, as one of its directories sees it; bytes."""

    path: Path
    device: int
    free: int
    """For a user who is not root."""
    total: int

    def reserve(self, wanted: int = 0) -> int:
        """The bytes to leave alone: `wanted`, or a share of the disk if that is 0."""
        return wanted or min(LARGEST_RESERVE, int(self.total * RESERVE_SHARE))


def disk_of(path: Path) -> Disk:
    """The disk that a path is on, or will be on once it is made; OSError if that can't be told."""
    place = existing(path)
    found = os.statvfs(place)
    return Disk(path, place.stat().st_dev, found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def existing(path: Path) -> Path:
    """A path, or of what will once be there, the directory above it that is there now."""
    return next(place for place in (path, *path.parents) if place.exists())


def available_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """The bytes of memory that can be had; OSError or ValueError if /proc does not say."""
    words = (line.split() for line in (proc / "meminfo").read_text().splitlines())
    free = next((int(word[1]) * 1024 for word in words if word[0] == "MemAvailable:"), None)
    if free is None:
        raise ValueError(f"{proc / 'meminfo'} has no MemAvailable")
    return min(free, *limits(proc, cgroups), free)


def resident_memory(pid: int) -> int:
    """The bytes of memory that a process has now; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0


def limits(proc: Path, cgroups: Path) -> Iterator[int]:
    """What each control group that this process is in leaves it (version 2 of cgroups; the kernel's cgroup-v2.rst)."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    if own is None:
        return
    group = cgroups / own
    for place in (group, *group.parents):
        if not place.is_relative_to(cgroups):
            return
        try:
            most, now = (place / "memory.max").read_text().strip(), int((place / "memory.current").read_text())
            if most == "max":
                continue
            words = dict(line.split() for line in (place / "memory.stat").read_text().splitlines())
            # Pages of files count as used, and are given up when memory is needed.
            yield max(0, int(most) - now + int(words.get("inactive_file", 0)))
        except (OSError, ValueError):  # the root has no such files
            continue


def load() -> float:
    """The number of processes that ran or waited for a core or a disk, over the last minute."""
    return os.getloadavg()[0]
