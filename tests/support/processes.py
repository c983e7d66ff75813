"""The processes of a test, as /proc shows them."""

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process, as /proc shows it."""

    pid: int
    name: str
    argv: tuple[str, ...]

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def written(self) -> int:
        """Return the bytes that the process has written so far; 0 if it has ended."""
        try:
            lines = Path(f"/proc/{self.pid}/io").read_text(encoding="ascii").splitlines()
        except OSError:
            return 0
        return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))

    def is_zombie(self) -> bool:
        """Return whether the process has ended but was not reaped by its parent."""
        try:
            status = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return True
        return status.rsplit(")", 1)[1].split()[0] in "ZX"


def processes_with(variable: str, value: str) -> list[Process]:
    """Return the processes with an environment variable of that value, except this one and zombies."""
    marker = f"{variable}={value}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if marker not in (entry / "environ").read_bytes().split(b"\0"):
                continue
            name = (entry / "comm").read_text(encoding="utf-8", errors="replace").strip()
            argv = (entry / "cmdline").read_bytes().decode("utf-8", "replace").rstrip("\0").split("\0")
        except OSError:  # it has just ended, or belongs to another user
            continue
        process = Process(int(entry.name), name, tuple(argv))
        if not process.is_zombie():
            found.append(process)
    return sorted(found, key=lambda process: process.pid)


def processes_in(directory: Path) -> list[int]:
    """Return the pids of the processes whose working directory is this one; zombies have none."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # no process, or it has just ended, or belongs to another user
            if (entry / "cwd").readlink() == directory:
                found.append(int(entry.name))
    return found


def is_decoder(process: Process) -> bool:
    """Return whether a process is a decoder of the recipe: the program behind fastq-dump, not the wrapper."""
    return process.name.startswith("fastq-dump-orig") and "--fasta" in process.argv


def is_wrapper(process: Process) -> bool:
    """Return whether a process is the toolkit's wrapper around a decoder."""
    return "--fasta" in process.argv and process.argv[0].endswith("fastq-dump") and not is_decoder(process)


def memory_of_tree(pid: int) -> int:
    """Return the bytes that a process and its descendants have in memory (RSS; shared pages count for each)."""
    parents, sizes = {}, {}
    for path in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError, KeyError):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            found = dict(line.split(":", 1) for line in lines if ":" in line)
            number = int(path.parent.name)
            parents[number], sizes[number] = int(found["PPid"]), int(found.get("VmRSS", "0 kB").split()[0]) * 1024
    tree, more = {pid}, True
    while more:
        children = {child for child, parent in parents.items() if parent in tree} - tree
        tree |= children
        more = bool(children)
    return sum(sizes.get(number, 0) for number in tree)
