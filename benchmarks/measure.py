"""Measures a tree of processes: wall time, CPU time, and the peak of their memory together."""

import contextlib
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import wort_cli

SAMPLE = 0.02
"""Seconds between samples of the memory."""
PAGE = resource.getpagesize()


@dataclass(frozen=True)
class Figures:
    """The figures of one run: wall seconds, CPU seconds (user and system), peak bytes of resident memory."""

    wall: float
    cpu: float
    rss: int


def measure(run: Callable[[], None]) -> Figures:
    """Return the figures of all processes that `run` starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    with PeakMemory() as memory:
        run()
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figures(wall, cpu, memory.peak)


class PeakMemory:
    """Samples the resident memory of all descendants of this process."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE):
            self.peak = max(self.peak, sum(map(resident, descendants(os.getpid()))))


def descendants(pid: int) -> list[int]:
    """Return the process ids of all descendants of a process.

    Only these are looked at: to read the state of every process of the machine fifty times a second would take a tenth
    of a core from what is measured.
    """
    found: list[int] = []
    pending = [pid]
    while pending:
        for file in Path(f"/proc/{pending.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # the thread has ended
                children = [int(child) for child in file.read_text().split()]
                found += children
                pending += children
    return found


def resident(pid: int) -> int:
    """Return the bytes of resident memory of a process, or 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def run_pipe(first: Sequence[str], second: Sequence[str], cwd: Path) -> None:
    """Run `first | second`.  Raises CalledProcessError if either fails."""
    with subprocess.Popen(first, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=cwd) as producer:
        consumer = subprocess.Popen(second, stdin=producer.stdout, stderr=subprocess.DEVNULL, cwd=cwd)
        if producer.stdout:
            producer.stdout.close()
        code = consumer.wait()
    if code or producer.returncode:
        raise subprocess.CalledProcessError(code or producer.returncode, list(second if code else first))


def compile_bytecode() -> None:
    """Compile wort's modules, as pip does when it installs them."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", Path(wort_cli.__file__).parent], check=True)


def run_one(argv: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
    """Run a command.  Raises CalledProcessError if it fails."""
    subprocess.run(
        argv,
        env={**os.environ, **environment},
        cwd=cwd,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
