"""Runs a command-line tool of the SRA toolkit to its end."""

import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path


class ToolError(Exception):
    """A tool failed or wrote no output; has its command line and its stderr."""

    def __init__(self, argv: Sequence[str | Path], code: int, stderr: bytes) -> None:
        self.argv, self.code, self.stderr = [str(word) for word in argv], code, stderr.decode(errors="replace")
        super().__init__(f"{' '.join(self.argv)}: exit {code}: {self.stderr.strip() or 'no message'}")


def attempt(
    argv: Sequence[str | Path], stdin: bytes = b"", cwd: Path | None = None, timeout: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, input=stdin, capture_output=True, check=False, cwd=cwd, timeout=timeout)


def run(argv: Sequence[str | Path], stdin: bytes = b"", *, timeout: float | None = None) -> str:
    """Run a tool; return its stdout; raise ToolError if it fails, or if it does not end within `timeout` seconds."""
    try:
        done = attempt(argv, stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise ToolError(argv, -signal.SIGKILL, b"no end") from None
    if done.returncode:
        raise ToolError(argv, done.returncode, done.stderr)
    return done.stdout.decode()


def bam_load(argv: Sequence[str | Path], database: Path, *, timeout: float | None = None) -> None:
    """Run bam-load; raise ToolError if it fails.

    Its reader now and then takes a file on a busy machine for an empty one.  It is then started again.
    """
    for last in (False, False, True):
        try:
            run(argv, timeout=timeout)
            return
        except ToolError as error:
            if last or "data empty while reading file" not in error.stderr:
                raise
            shutil.rmtree(database, ignore_errors=True)
