"""Finds out whether a network file system answers, without waiting for it in this process.

A process that reads from a file system whose server is silent (NFS, BeeGFS, FUSE) waits in the kernel, where often no
signal reaches it.  So wort does not touch such a path before a child process has done so within a limit.  A child that
gets no answer is left behind.  It keeps a lock, so that there is at most one for each user and mount, and it has none
of this process's files open, so that nobody waits for it.

A path is taken for local if no part of it is the mount point of a file system that is not in the table `LOCAL`.  Only
local directories are looked at for that.
"""

import contextlib
import mmap
import os
import select
import struct
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wort_cli.errors import NoAnswer
from wort_cli.system.file_locks import try_lock
from wort_cli.system.process_identity import stat_of

LOCAL = frozenset(
    {
        *("bcachefs", "btrfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hfsplus", "iso9660", "jfs", "nilfs2"),
        *("ntfs3", "overlay", "ramfs", "reiserfs", "rootfs", "squashfs", "tmpfs", "udf", "vfat", "xfs", "zfs"),
        *("binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs"),
        *("fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "securityfs", "selinuxfs", "sysfs", "tracefs"),
    }
)
"""Types of file systems that need no server, as in /proc/filesystems."""
MOUNTS = Path("/proc/self/mountinfo")
INTERVAL = 0.05
"""Seconds between two looks whether another process's child has ended."""
BUSY = 5
"""Limits for which a child may wait for a processor."""
RUNNABLE = "R"
"""The state of a process that runs, or waits for a processor (proc(5))."""
REMEMBERED_FOR = 5.0
"""Seconds for which `answers` remembers that a mount does not answer.  It is never remembered that one does."""
MOUNTS_KNOWN_FOR = 0.2
"""Seconds for which the table of mounts is not read again: a command may look for the archives of 100,000 runs."""
MOST_LINKS = 40
LOCK_PLACES = ("/dev/shm", "/var/tmp")  # noqa: S108 (the file is opened without following links, and its owner checked)
TOUCH = """
import os, sys
os.closerange(3, 1024)
for path in sys.argv[1:]:
    try:
        kind = os.stat(path).st_mode & 0o170000
        if kind == 0o100000:
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            os.read(file, 1)
            os.close(file)
        elif kind == 0o040000:
            os.statvfs(path)
    except OSError:
        pass
"""
"""The program of the child: touches files and directories.  An error is an answer too."""
TOUCH_IN_DEPTH = TOUCH.replace(
    "os.read(file, 1)", "for n in range(17): os.pread(file, 1, max(0, os.fstat(file).st_size * n // 16 - 1))"
)
"""The same, and it reads from 17 places of a file, which may lie on several servers, or be in the memory already."""

DEFAULT_LIMIT, VARIABLE = 10.0, "WORT_ANSWER_TIMEOUT"
"""The limit in seconds before the settings are read, and the variable that changes it."""

_limit: list[float] = []
"""The limit of the settings; empty until they are read."""
_shared: list[mmap.mmap] = []
"""Memory that is shared with a child process, which writes the limit into it; empty without one."""
_left_behind: set[int] = set()
"""The children that got no answer yet."""
_silent_at: dict[str, float] = {}
"""Times at which mounts were found not to answer, by mount point."""
_known_mounts: list[tuple[Path, float, dict[str, str]]] = []
"""The table of mounts that was read last: from which file, when, and what it had."""


@dataclass(frozen=True)
class Mount:
    """The mount of a network file system."""

    point: str
    kind: str


def wait_for_answers(seconds: float) -> None:
    """Set within how many seconds a file system must answer, for this process and its children."""
    _limit[:] = [seconds]
    for memory in _shared:
        memory[:] = struct.pack("d", seconds)


def share_limit() -> None:
    """Take over the limit that a child process will read from the settings.  Call it before the fork."""
    _shared[:] = [mmap.mmap(-1, struct.calcsize("d"))]


def limit() -> float:
    """Return within how many seconds a file system must answer."""
    if _limit:
        return _limit[0]
    for memory in _shared:
        if seconds := struct.unpack("d", memory[:])[0]:
            return float(seconds)
    with contextlib.suppress(ValueError):
        return max(0.0, float(os.environ.get(VARIABLE, DEFAULT_LIMIT)))
    return DEFAULT_LIMIT


def check_answers(paths: Iterable[Path], about: Path | None = None) -> None:
    """Raise NoAnswer if a path is on a network file system that does not answer within the limit.

    The error is about the first such path, or about `about`.
    """
    by_mount: dict[Mount, list[Path]] = {}
    table = network_mounts()
    for path in paths if table else ():
        if (mount := network_mount(path, table)) is not None:
            by_mount.setdefault(mount, []).append(path)
    for mount, places in by_mount.items():
        if not touch(mount, places):
            raise NoAnswer(about or places[0], mount.kind, mount.point, limit())


def answers(path: Path) -> bool:
    """Return whether a directory is local, or answers within the limit."""
    mount = network_mount(path)
    if mount is None:
        return True
    if time.monotonic() - _silent_at.get(mount.point, float("-inf")) < REMEMBERED_FOR:
        return False
    return touch(mount, [path])


def silent_directories(paths: Iterable[Path]) -> list[NoAnswer]:
    """Return which of these directories do not answer."""
    found = []
    for path in dict.fromkeys(paths):
        mount = network_mount(path)
        if mount is not None and not answers(path):
            found.append(NoAnswer(path, mount.kind, mount.point, limit()))
    return found


def network_mounts() -> dict[str, str]:
    """Return the types of all network file systems, by mount point.  The root is not among them."""
    now = time.monotonic()
    if not _known_mounts or _known_mounts[0][0] != MOUNTS or now - _known_mounts[0][1] >= MOUNTS_KNOWN_FOR:
        _known_mounts[:] = [(MOUNTS, now, read_mounts())]
    return _known_mounts[0][2]


def read_mounts() -> dict[str, str]:
    """Read the table that `network_mounts` returns."""
    kinds: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            before, _, after = line.partition(" - ")
            point = before.split()[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
            kinds[point.encode("latin-1", "replace").decode("utf-8", "surrogateescape")] = after.split()[0]
    return {point: kind for point, kind in kinds.items() if kind not in LOCAL and point != "/"}


def network_mount(path: Path, table: dict[str, str] | None = None) -> Mount | None:
    """Return the network file system that a path is on, or leads through; None if it is local."""
    table = network_mounts() if table is None else table
    if not table:
        return None
    place, rest, links = "/", list(reversed(path.absolute().parts[1:])), 0
    while rest:
        part = rest.pop()
        place = os.path.dirname(place) if part == ".." else os.path.join(place, part)  # noqa: PTH118, PTH120
        if place in table:
            return Mount(place, table[place])
        try:
            target = os.readlink(place)  # noqa: PTH115
        except OSError:  # no link, or nothing
            continue
        links += 1
        if links > MOST_LINKS:
            return None
        place = "/" if target.startswith("/") else os.path.dirname(place)  # noqa: PTH120
        rest += reversed([word for word in target.split("/") if word not in ("", ".")])
    return None


def touch(mount: Mount, paths: Sequence[Path]) -> bool:
    """Return whether paths on a mount answer within the limit."""
    with contextlib.closing(Look(mount, paths)) as look:
        answered = look.has_answer(limit())
        while not answered and not look.is_late:
            answered = look.has_answer(INTERVAL)
    if not answered:
        _silent_at[mount.point] = time.monotonic()
    return answered


class Look:
    """A child process that touches paths on a mount; it is started when no other one waits for that mount."""

    def __init__(self, mount: Mount, paths: Sequence[Path], *, in_depth: bool = False) -> None:
        """Take the paths to look at; with `in_depth`, the child reads several places of each file."""
        self.mount = mount
        self._paths = paths
        self._program = TOUCH_IN_DEPTH if in_depth else TOUCH
        self._child: Child | None = None
        self._began = time.monotonic()

    @property
    def is_late(self) -> bool:
        """Whether the limit has passed, and not only because this machine is too busy to run the child."""
        seconds = time.monotonic() - self._began
        return seconds > limit() * (BUSY if self._child is not None and self._child.waits_for_processor() else 1)

    def has_answer(self, seconds: float = 0.0) -> bool:
        """Return whether all paths have answered; wait at most so many seconds."""
        if self._child is None:
            self._child = start_child(self._paths, self.mount, self._program)
        if self._child is None:
            time.sleep(max(0.0, min(seconds, INTERVAL)))
            return False
        poll = select.poll()
        poll.register(self._child.descriptor, select.POLLIN)
        ended = bool(poll.poll(max(0.0, seconds) * 1000))
        reap()
        return ended

    def close(self) -> None:
        """Wait no longer; the child is left behind."""
        if self._child is not None:
            os.close(self._child.descriptor)
            self._child = None


@dataclass(frozen=True)
class Child:
    """A child process that touches paths."""

    pid: int
    descriptor: int
    """Its pidfd."""

    def waits_for_processor(self) -> bool:
        """Return whether it could continue if a processor was free: no disk keeps it waiting."""
        stat = stat_of(self.pid)
        return stat is not None and stat.state == RUNNABLE


def start_child(paths: Sequence[Path], mount: Mount, program: str) -> Child | None:
    """Start a child process that touches paths; return None if another one waits.

    It inherits the lock of the mount as its standard input, and nothing else.
    """
    reap()
    lock = lock_of(mount)
    try:
        if lock is not None and not try_lock(lock):
            return None
        nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        stdin = (os.POSIX_SPAWN_DUP2, lock, 0) if lock is not None else nothing
        outputs = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
        argv = [sys.executable, "-I", "-S", "-c", program, *map(str, paths)]
        child = os.posix_spawn(sys.executable, argv, {}, file_actions=[stdin, *outputs], setpgroup=0)
    finally:
        if lock is not None:
            os.close(lock)
    descriptor = os.pidfd_open(child)  # it is not reaped yet, so the process id is its own
    _left_behind.add(child)
    return Child(child, descriptor)


def reap() -> None:
    """Collect the children that have ended."""
    for child in tuple(_left_behind):
        try:
            if os.waitpid(child, os.WNOHANG)[0]:
                _left_behind.discard(child)
        except ChildProcessError:  # of the process that this one was forked from
            _left_behind.discard(child)


def lock_of(mount: Mount) -> int | None:
    """Open the file that the child of a mount keeps locked; None if there is no place for it."""
    import hashlib  # it takes 5 ms, and every command imports this module

    name = f"wort-{os.geteuid()}-{hashlib.sha256(mount.point.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
    for place in LOCK_PLACES:
        with contextlib.suppress(OSError):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(f"{place}/{name}", flags, 0o600)
            if os.fstat(descriptor).st_uid == os.geteuid():
                return descriptor
            os.close(descriptor)
    return None
