"""The processes of a test, as /proc shows them."""

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process of a home, as /proc shows it."""

    pid: int
    name: str
    argv: tuple[str, ...]

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal; nothing happens if it has just ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def written(self) -> int:
        """Bytes it has written so far; 0 when it has ended."""
        try:
            lines = Path(f"/proc/{self.pid}/io").read_text(encoding="ascii").splitlines()
        except OSError:
            return 0
        return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))

    def is_zombie(self) -> bool:
        """Whether it has ended, and only its parent has not noticed."""
        try:
            status = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return True
        return status.rsplit(")", 1)[1].split()[0] in "ZX"


def processes_with(variable: str, value: str) -> list[Process]:
    """The processes, but for ourselves and zombies, that were started with an environment variable of that value."""
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
        except OSError:  # it ended just now, or is somebody else's
            continue
        process = Process(int(entry.name), name, tuple(argv))
        if not process.is_zombie():
            found.append(process)
    return sorted(found, key=lambda process: process.pid)


def is_decoder(process: Process) -> bool:
    """Whether a process is the program behind fastq-dump, run as the recipe says (not its wrapper, not `--version`)."""
    return process.name.startswith("fastq-dump-orig") and "--fasta" in process.argv


def is_wrapper(process: Process) -> bool:
    """Whether a process is the toolkit's wrapper around the decoder."""
    return "--fasta" in process.argv and process.argv[0].endswith("fastq-dump") and not is_decoder(process)
