"""Reads the limits of this process's control groups: memory that is left, and cores.

A container, a systemd unit and a job of a batch system are control groups.  Each is limited by its own files and by
those of the groups above it.  Sources: the kernel's cgroup-v2.rst, cgroup-v1/memory.rst, and scheduler/sched-bwc.rst.
"""

from collections.abc import Iterator
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def memory_left(proc: Path = PROC, cgroups: Path = CGROUPS) -> Iterator[int]:
    """Yield the bytes that are left in each group that limits memory."""
    for group in groups("memory", proc, cgroups):
        second = (group / "memory.max").exists()
        limit = group / ("memory.max" if second else "memory.limit_in_bytes")
        used = group / ("memory.current" if second else "memory.usage_in_bytes")
        # The page cache counts as used, but the kernel frees it when memory is needed.
        cache = "inactive_file" if second else "total_inactive_file"
        try:
            words = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            yield max(0, int(limit.read_text()) - int(used.read_text()) + int(words.get(cache, 0)))
        except (OSError, ValueError):  # "max", or the root group, which has no such files
            continue


def core_limits(proc: Path = PROC, cgroups: Path = CGROUPS) -> Iterator[float]:
    """Yield the cores that each group may keep busy, which need not be a whole number."""
    for group in groups("cpu", proc, cgroups):
        try:
            if (group / "cpu.max").exists():
                quota, period = (group / "cpu.max").read_text().split()
            else:
                quota, period = ((group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            if int(quota) > 0 and int(period) > 0:
                yield int(quota) / int(period)
        except (OSError, ValueError):  # "max", or the root group
            continue


def groups(controller: str, proc: Path, cgroups: Path) -> Iterator[Path]:
    """Yield the directories of this process's groups in which a controller limits it, and of those above them."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, own = line.split(":", 2)
        if number == "0":  # version 2
            root = cgroups
        elif controller in controllers.split(","):
            root = cgroups / controller
        else:
            continue
        group = root / own.lstrip("/")
        yield from (place for place in (group, *group.parents) if place.is_relative_to(root))
