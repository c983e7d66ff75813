"""The machine of a campaign: a home on a small disk, a daemon that is restarted when it ends, a clock, a bucket.

It is like a machine with systemd and Restart=always, except that systemd would also kill the daemon's children.  The
disk is a tmpfs in a separate mount namespace (campaign.py enters it).  The wrong clock, the broken disk and the broken
locks are libraries that are loaded into all processes (clock.c, bad_disk.c, bad_locks.c).
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.faults.targets import Team, place_of
from tests.support.bucket import Bucket
from tests.support.ceph import Ceph
from tests.support.homes import FASTQ_DUMP, WORT, Home
from tests.support.polling import Stopwatch
from tests.support.proxy import Decision, Fate, Proxy
from tests.support.shelf import Shelf

SETTINGS = {
    "WORT_JOBS": "3",
    "WORT_THREADS": "1",
    "WORT_LEASE": "8",
    "WORT_HANG_TIMEOUT": "8",
    "WORT_STALL_TIMEOUT": "5",
    "WORT_RESOLVE_TIMEOUT": "10",
    "WORT_RETRY_DELAY": "0.5",
    "WORT_S3_TIMEOUT": "2",
    "WORT_SLICE_BASES": "100000",
    "WORT_DISK_RESERVE": "1000000",
    "WORT_MEMORY_RESERVE": "50000000",
}
DISK = "96m"
RESTART_AFTER = 0.5
"""Seconds until an ended daemon is restarted."""
READS_A_SECOND = 100_000
"""Bytes per second that fastq-dump writes: slow, so that one is usually running."""


class SmallHome(Home):
    """A home whose WORT_HOME is on a separate small disk."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.disk = root / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", self.disk], check=True)
        self.path = self.disk / "wort"
        # A signal during an import leaves the imported file open.
        warnings = "error,ignore::ResourceWarning"
        self.env |= {"WORT_HOME": str(self.path), "PYTHONWARNINGS": warnings, **SETTINGS}
        slow = f"{sys.executable} -I -S {Path(__file__).with_name('slow.py')} {READS_A_SECOND}"
        self.env |= self.with_tool(
            "fastq-dump",
            f"""
case " $* " in *" --fasta "*) ;; *) exec {FASTQ_DUMP} "$@" ;; esac
set -o pipefail
{FASTQ_DUMP} "$@" | {slow}
""",
        )
        del self.env["WORT_DECODER"]

    def unmount(self) -> None:
        """Unmount the disk; its files are lost."""
        subprocess.run(["umount", "--lazy", self.disk], check=True)


class Clock:
    """The wall clock that all processes of a home see."""

    def __init__(self, home: Home) -> None:
        self._file = home.root / "clock"
        self.move(0)
        preload("clock", home)
        home.env["WALL_CLOCK"] = str(self._file)

    def move(self, seconds: int) -> None:
        """Set the clock to the true time plus some seconds."""
        with self._file.open(
            "r+b" if self._file.exists() else "wb"
        ) as file:  # processes have mapped the file, and see the change
            file.write(struct.pack("=q", seconds))


class Breakable:
    """A part of the machine that breaks and is repaired."""

    def __init__(self, home: Home, library: str, place: str, **env: str) -> None:
        self._broken = home.root / f"{library}.broken"
        preload(library, home)
        name = library.upper()
        home.env |= {**env, name: place, f"{name}_WHILE": str(self._broken)}

    @contextlib.contextmanager
    def broken(self) -> Iterator[None]:
        """Keep it broken within the context."""
        self._broken.touch()
        try:
            yield
        finally:
            self._broken.unlink()


def bad_disk(home: Home, part: str = "") -> Breakable:
    """Return a disk on which nothing can be written: all files of a home whose path in it starts with `part`."""
    return Breakable(home, "bad_disk", f"{home.path}/{part}")


def bad_locks(home: Home, part: str, error: int) -> Breakable:
    """Return a file system that cannot lock the files of a home whose path in it starts with `part`."""
    return Breakable(home, "bad_locks", f"{home.path}/{part}", BAD_LOCKS_ERROR=str(error))


def preload(name: str, home: Home) -> None:
    """Compile NAME.c to a library that all processes of a home load."""
    library, source = home.root / f"{name}.so", Path(__file__).with_name(f"{name}.c")
    subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    home.env["LD_PRELOAD"] = ":".join(filter(None, (home.env.get("LD_PRELOAD"), str(library))))


class Daemon:
    """A daemon that is restarted when it ends."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._start_at = 0.0
        self.starts = 0

    @property
    def pid(self) -> int:
        """The pid of the running daemon; 0 if none runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def supervise(self) -> None:
        """Restart the daemon if it ended at least RESTART_AFTER seconds ago."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            self._process = None
            self._start_at = now + RESTART_AFTER
        if self._process is None and now >= self._start_at:
            self.starts += 1
            with (self._home.root / "daemon.out").open("ab") as output:
                self._process = subprocess.Popen(
                    [WORT, "daemon", "start", "--foreground", "--quiet"],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=self._home.env,
                    cwd="/",
                    start_new_session=True,
                )

    def output(self) -> str:
        """Return everything that the daemons wrote to stdout and stderr."""
        path = self._home.root / "daemon.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def reap(self) -> int | None:
        """Return the exit code of the daemon; None while it runs."""
        return self._process.poll() if self._process is not None else 0

    def kill(self) -> None:
        """Kill the daemon."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()


class Server:
    """The bucket's server, behind a proxy that injects faults."""

    def __init__(self, proxy: Proxy, bucket: Bucket) -> None:
        self.bucket = bucket
        self._deciding: list[Decision] = []
        proxy.decide = self._decide

    def _decide(self, method: str, path: str) -> Fate:
        return self._deciding[-1](method, path) if self._deciding else Fate.PASS

    @contextlib.contextmanager
    def deciding(self, decide: Decision) -> Iterator[None]:
        """Let `decide` choose the fate of each request; the innermost context wins."""
        self._deciding.append(decide)
        try:
            yield
        finally:
            self._deciding.remove(decide)

    def down(self) -> contextlib.AbstractContextManager[None]:
        """Break every connection."""
        return self.deciding(lambda method, path: Fate.LOSE_REQUEST)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Accept requests and do not answer."""
        thawed = threading.Event()

        def wait(method: str, path: str) -> Fate:
            thawed.wait(60)
            return Fate.LOSE_REQUEST

        with self.deciding(wait):
            try:
                yield
            finally:
                thawed.set()

    def expired(self) -> contextlib.AbstractContextManager[None]:
        """Answer that the credentials have expired."""
        return self.deciding(lambda method, path: Fate.EXPIRED)

    def wrong(self, seed: int) -> contextlib.AbstractContextManager[None]:
        """Lose requests or answers, read half of a body, answer 503 or an HTML page, at random; sometimes work."""
        random = Random(seed)
        fates = tuple(Fate)
        return self.deciding(lambda method, path: random.choice(fates))


@dataclass(frozen=True)
class Doomed:
    """Processes that must end because their worker or daemon was killed."""

    why: str
    since: Stopwatch
    processes: Mapping[int, int]
    """Start time by pid."""

    def survivors(self) -> list[int]:
        """Return the pids of those that still run."""
        places = {pid: place_of(pid) for pid in self.processes}
        return [
            pid
            for pid, place in places.items()
            if place is not None and place.began == self.processes[pid] and place.state not in "ZX"
        ]


class Machine:
    """Home, disk, clock, daemon and bucket."""

    def __init__(self, root: Path, ceph: Ceph, proxy: Proxy) -> None:
        self.home = SmallHome(root)
        self.clock = Clock(self.home)
        self.bad_disk = bad_disk(self.home)
        self.bad_locks = bad_locks(self.home, "ledger.db", errno.ENOLCK)
        self.daemon = Daemon(self.home)
        self.doomed: list[Doomed] = []
        bucket = Bucket(ceph)
        bucket.serve(self.home)
        self.home.env |= SETTINGS | {"WORT_S3_ENDPOINT": proxy.endpoint}
        self.server = Server(proxy, bucket)

    def team(self) -> Team:
        """Return the daemon's current processes."""
        return Team.of(self.home, self.daemon.pid)

    def end(self) -> None:
        """Kill all processes that still run; call this after all checks."""
        self.daemon.kill()
        for process in self.home.processes():
            process.kill()

    def keep(self) -> Path:
        """Copy the files of the disk to a place that survives unmounting; return its path."""
        kept = self.home.root / "kept"
        shutil.copytree(self.home.disk, kept, ignore=shutil.ignore_patterns("filler-*"))
        return kept


def lay_archives(home: Home, shelf: Shelf, wanted: dict[str, str]) -> None:
    """Put the archive of each run into the toolkit's repository; `wanted` maps runs to archives of cases."""
    for run, archive in wanted.items():
        if archive == "text":
            (home.repository / "sra" / f"{run}.sra").write_text("<html>Service unavailable</html>\n" * 20)
        elif archive != "missing":
            home.keep(run, archive_named(shelf, archive))


def archive_named(shelf: Shelf, name: str) -> Path:
    """Return the archive of a case."""
    special: dict[str, Callable[[], Path]] = {"flipped": shelf.flipped, "truncated": shelf.truncated}
    if name in special:
        return special[name]()
    layout, _, seed = name.partition("-")
    return shelf.archive(layout, int(seed or "1"))
