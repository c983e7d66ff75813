"""The machine of a campaign: a home on a small disk, a daemon that is started again when it ends, a clock, a bucket.

It is what a person would have with systemd and Restart=always, only that a kill of the daemon kills nothing else: what
systemd would do besides is not relied upon.  The disk is a tmpfs in a mount namespace of its own (campaign.py enters
it); the clock, and a disk that breaks, are libraries that are loaded into all processes (clock.c, bad_disk.c).
"""

from __future__ import annotations

import contextlib
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
"""Seconds that a daemon stays down."""
READS_A_SECOND = 100_000
"""Bytes that fastq-dump gives a second, so that there is always one to strike at."""


class SmallHome(Home):
    """A home whose WORT_HOME is on a disk of its own."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.disk = root / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", self.disk], check=True)
        self.path = self.disk / "wort"
        # A signal in the midst of an import leaves the file open that was being read.
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
        """Let go of the disk and of all that is on it."""
        subprocess.run(["umount", "--lazy", self.disk], check=True)


class Clock:
    """The wall clock of all processes of a home."""

    def __init__(self, home: Home) -> None:
        self._file = home.root / "clock"
        self.move(0)
        preload("clock", home)
        home.env["WALL_CLOCK"] = str(self._file)

    def move(self, seconds: int) -> None:
        """Have it differ by so many seconds from the true time."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:  # those who have mapped it see it
            file.write(struct.pack("=q", seconds))


class BadDisk:
    """A disk that breaks and is mended: of a home, all files whose path below it begins with `part`."""

    def __init__(self, home: Home, part: str = "") -> None:
        self._broken = home.root / "broken"
        preload("bad_disk", home)
        home.env |= {"BAD_DISK": f"{home.path}/{part}", "BAD_WHILE": str(self._broken)}

    @contextlib.contextmanager
    def broken(self) -> Iterator[None]:
        """While nothing can be written to it."""
        self._broken.touch()
        try:
            yield
        finally:
            self._broken.unlink()


def preload(name: str, home: Home) -> None:
    """Have all processes of a home load the library that is made of NAME.c."""
    library, source = home.root / f"{name}.so", Path(__file__).with_name(f"{name}.c")
    subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    home.env["LD_PRELOAD"] = ":".join(filter(None, (home.env.get("LD_PRELOAD"), str(library))))


class Daemon:
    """A daemon that is started again when it ends."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._start_at = 0.0
        self.starts = 0

    @property
    def pid(self) -> int:
        """Of the one that runs; 0 if none does."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def supervise(self) -> None:
        """Start it if it has ended for a while."""
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

    def said(self) -> str:
        """What all of them wrote to their terminal."""
        path = self._home.root / "daemon.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def reap(self) -> int | None:
        """How it ended, once it was told to; None while it still runs."""
        return self._process.poll() if self._process is not None else 0

    def kill(self) -> None:
        """End it whatever it does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()


class Server:
    """The bucket's server, behind a proxy that does the damage."""

    def __init__(self, proxy: Proxy, bucket: Bucket) -> None:
        self.bucket = bucket
        self._deciding: list[Decision] = []
        proxy.decide = self._decide

    def _decide(self, method: str, path: str) -> Fate:
        return self._deciding[-1](method, path) if self._deciding else Fate.PASS

    @contextlib.contextmanager
    def deciding(self, decide: Decision) -> Iterator[None]:
        """Requests fare as `decide` says; the last one who says so has the word."""
        self._deciding.append(decide)
        try:
            yield
        finally:
            self._deciding.remove(decide)

    def down(self) -> contextlib.AbstractContextManager[None]:
        """Every connection breaks."""
        return self.deciding(lambda method, path: Fate.LOSE_REQUEST)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes requests and answers nothing."""
        thawed = threading.Event()

        def wait(method: str, path: str) -> Fate:
            thawed.wait(60)
            return Fate.LOSE_REQUEST

        with self.deciding(wait):
            try:
                yield
            finally:
                thawed.set()

    def wrong(self, seed: int) -> contextlib.AbstractContextManager[None]:
        """It loses requests and answers, takes half of a body, answers 503 or a page of HTML; now and then it works."""
        random = Random(seed)
        fates = tuple(Fate)
        return self.deciding(lambda method, path: random.choice(fates))


@dataclass(frozen=True)
class Doomed:
    """Processes that must end because the one was killed that they belong to."""

    why: str
    since: float
    processes: Mapping[int, int]
    """When each began, by its number."""

    def survivors(self) -> list[int]:
        """Those that live."""
        places = {pid: place_of(pid) for pid in self.processes}
        return [
            pid
            for pid, place in places.items()
            if place is not None and place.began == self.processes[pid] and place.state not in "ZX"
        ]


class Machine:
    """All of it."""

    def __init__(self, root: Path, ceph: Ceph, proxy: Proxy) -> None:
        self.home = SmallHome(root)
        self.clock = Clock(self.home)
        self.bad_disk = BadDisk(self.home)
        self.daemon = Daemon(self.home)
        self.doomed: list[Doomed] = []
        bucket = Bucket(ceph)
        bucket.serve(self.home)
        self.home.env |= SETTINGS | {"WORT_S3_ENDPOINT": proxy.endpoint}
        self.server = Server(proxy, bucket)

    def team(self) -> Team:
        """The daemon's processes as they are now."""
        return Team.of(self.home, self.daemon.pid)

    def end(self) -> None:
        """End whatever still runs: to be called when all has been judged."""
        self.daemon.kill()
        for process in self.home.processes():
            process.kill()

    def keep(self) -> Path:
        """A copy of what is on the disk, which outlives it; return where the whole home is."""
        kept = self.home.root / "kept"
        shutil.copytree(self.home.disk, kept, ignore=shutil.ignore_patterns("filler-*"))
        return kept


def lay_archives(home: Home, shelf: Shelf, wanted: dict[str, str]) -> None:
    """Put the archive of each run (a Case's, by the run's name) where the toolkit finds it."""
    for run, archive in wanted.items():
        if archive == "text":
            (home.repository / "sra" / f"{run}.sra").write_text("<html>Service unavailable</html>\n" * 20)
        elif archive != "missing":
            home.keep(run, archive_named(shelf, archive))


def archive_named(shelf: Shelf, name: str) -> Path:
    """The archive of a Case."""
    special: dict[str, Callable[[], Path]] = {"flipped": shelf.flipped, "truncated": shelf.truncated}
    if name in special:
        return special[name]()
    layout, _, seed = name.partition("-")
    return shelf.archive(layout, int(seed or "1"))
