"""Runs a command in a child process where network file systems are mounted, so that a silent one does not hang it.

A process that waits in the kernel for a silent server can neither report that nor end.  So the command runs in a child,
and this process waits for it.  While the child takes no processor time, this process lets others look (network_disks)
at the network file systems on which the child has files open.  If one is silent and the child still waits, the child
is killed, and the error is reported here.  Its job is run again when its lease ends, as after any other death.

The child is in the same process group, so that it gets the signals of the terminal itself; others are passed on.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Collection
from pathlib import Path

from wort_cli.errors import NoAnswer
from wort_cli.system.network_disks import (
    Look,
    Mount,
    limit,
    network_mount,
    network_mounts,
    share_limit,
)
from wort_cli.system.parent import die_with

TICK = 0.5
"""Seconds between two looks at the child."""
LOOK_EVERY = 5.0
"""Seconds between two looks at a mount."""
IDLE_SHARE = 0.2
"""The share of a processor below which a child may be waiting for a disk; a child that waits still renews its lease."""
LAST_WORDS = 1.0
"""Seconds until a killed child is left behind."""
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
SI_KERNEL = 0x80
"""The code of a signal that the terminal sends."""
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
Clock = Callable[[], float]


def run_in_child() -> None:
    """Return in a child process; this process ends as the child does.

    Raises NoAnswer, in this process, if the child waits for a file system that does not answer within the limit.
    """
    share_limit()
    parent = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*PASSED_ON, signal.SIGCHLD})
    child = os.fork()
    if child == 0:
        die_with(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    try:
        end_like(wait_for(child))
    except NoAnswer:
        os.kill(child, signal.SIGKILL)
        has_ended(child, LAST_WORDS)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise


def wait_for(child: int, clock: Clock = time.monotonic) -> int:
    """Wait until a child ends; return its wait status.  Raises NoAnswer if it waits for a silent file system."""
    watch = Watch(child, clock)
    while True:
        received = signal.sigtimedwait({*PASSED_ON, signal.SIGCHLD}, TICK)
        if received is not None and received.si_signo in PASSED_ON and received.si_code != SI_KERNEL:
            os.kill(child, received.si_signo)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            watch.close()
            return status
        watch.look()


class Watch:
    """Looks at the file systems that a process uses, while it takes no processor time."""

    def __init__(self, child: int, clock: Clock) -> None:
        self._child = child
        self._clock = clock
        self._seen_at, self._used = clock(), 0.0
        self._looked_at = float("-inf")
        self._looks: dict[Mount, tuple[Look, Path]] = {}

    def look(self) -> None:
        """Look, if it is time.  Raises NoAnswer if a file system is silent, and the child waits meanwhile."""
        now = self._clock()
        if now - self._seen_at < TICK:
            return
        used = processor_seconds(self._child)
        is_idle = used - self._used < IDLE_SHARE * (now - self._seen_at) and not is_runnable(self._child)
        self._seen_at, self._used = now, used
        if not is_idle:
            self.close()
            return
        if not self._looks and now - self._looked_at >= min(LOOK_EVERY, limit()):
            self._looked_at = now
            self._begin()
        for mount, (look, path) in list(self._looks.items()):
            if look.has_answer():
                look.close()
                del self._looks[mount]
            elif look.is_late:
                self.close()
                raise NoAnswer(path, mount.kind, mount.point, limit())

    def close(self) -> None:
        """Wait for no answer any more."""
        for look, _ in self._looks.values():
            look.close()
        self._looks.clear()

    def _begin(self) -> None:
        table = network_mounts()
        for path in open_files(self._child):
            mount = network_mount(path, table)
            if mount is not None and mount not in self._looks:
                self._looks[mount] = Look(mount, [path], in_depth=True), path


def open_files(pid: int) -> Collection[Path]:
    """Return the paths of the files that a process has open; none if it has ended."""
    found = {}
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 (Path.iterdir would make an object of each name)
            path = os.readlink(f"/proc/{pid}/fd/{name}")  # noqa: PTH115
            if path.startswith("/"):
                found[path] = Path(path)
    except OSError:  # it has just ended, or closed the file
        pass
    return found.values()


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process and its children have taken; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS_PER_SECOND


def is_runnable(pid: int) -> bool:
    """Return whether a thread of a process runs, or waits for a processor, which may be long on a busy machine."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            text = stat.read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has just ended
            continue
        if text.rpartition(")")[2].split()[0] == "R":
            return True
    return False


def has_ended(child: int, seconds: float) -> bool:
    """Return whether a child ends within some seconds."""
    descriptor = os.pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(seconds * 1000)) and os.waitpid(child, os.WNOHANG)[0] == child
    finally:
        os.close(descriptor)


def end_like(status: int) -> None:
    """End this process as a child has ended: with its exit code, or by its signal."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)
