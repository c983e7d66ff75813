"""Has a file from outside read by a process that may fail: fresh, with limits of memory, processor and time.

The parent takes in a copy of bounded size, hands it to the child as its standard input, and believes of the answer no
more than that it is a small JSON document of the known keys.
"""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from wort_cli.errors import NoSuchFile, StorageProblem
from wort_cli.model.profile import PROFILES
from wort_cli.settings import Settings
from wort_cli.submission.refusal import Refusal

COPY_BLOCK = 1 << 20
LONGEST_ANSWER = 1 << 16
"""Bytes."""
LONGEST_SENTENCE = 1000


@dataclass(frozen=True)
class Accepted:
    """A signature that is all right, as the child found it."""

    profile: str
    name: str
    filename: str
    digest: str
    size: int
    sha256: str
    """Of the bytes as they came."""


class TemporaryCopy:
    """A copy of what came in, in a file without a name: it is gone with the process, however that ends."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self.file = file
        self.size = 0
        self._most = most
        self._total = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Take in more; Refusal if it is too much."""
        self.size += len(data)
        if self.size > self._most:
            raise Refusal(f"it is larger than {self._most:,} bytes", hint="the setting `submit_size` allows more")
        self._total.update(data)
        self.file.write(data)

    @property
    def sha256(self) -> str:
        """Of all that came in."""
        return self._total.hexdigest()


@contextmanager
def temporary_copy(settings: Settings) -> Iterator[TemporaryCopy]:
    """A place for what comes in; StorageProblem if the disk can't take it."""
    try:
        with tempfile.TemporaryFile(dir=settings.store_dir) as file:
            yield TemporaryCopy(file, settings.submit_size)
    except OSError as error:
        raise StorageProblem(f"{settings.store_dir} can't be written: {error.strerror}", "see `wort doctor`") from error


def copy_stream(stream: IO[bytes], copy: TemporaryCopy) -> None:
    """Copy all of a stream; Refusal if it is too much."""
    while data := stream.read(COPY_BLOCK):
        copy.write(data)


@contextmanager
def open_input(path: Path) -> Iterator[IO[bytes]]:
    """A file or a pipe that somebody named; NoSuchFile if it is neither, and for a device, which has no end."""
    try:
        if not (stat.S_ISREG(mode := path.stat().st_mode) or stat.S_ISFIFO(mode)):
            raise NoSuchFile(path, "it is no file")
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise NoSuchFile(path, getattr(error, "strerror", "") or str(error)) from None
    with file:
        yield file


def check_in_child(copy: TemporaryCopy, settings: Settings) -> Accepted:
    """What the child finds a copy to be; Refusal with the first thing that is wrong."""
    said = run_reader(copy, settings)
    if "why" in said:
        raise Refusal(said["why"], said["where"], said["hint"])
    if said["profile"] not in PROFILES:
        raise Refusal("it is of no known profile")
    return Accepted(
        said["profile"], said["name"], said["filename"], said["digest"], copy.size, copy.sha256
    )  # fmt: skip


def run_reader(copy: TemporaryCopy, settings: Settings) -> dict[str, str]:
    """The child's answer: texts by their keys."""
    limits = {
        "memory": settings.submit_memory,
        "seconds": max(1, int(settings.submit_seconds)),
        "unpacked": settings.submit_unpacked,
    }
    copy.file.flush()
    os.lseek(copy.file.fileno(), 0, os.SEEK_SET)
    child = subprocess.Popen(
        # -I: no variable and no file of the working directory decides what code runs.
        [sys.executable, "-I", "-m", "wort_cli.submission.reader_process", json.dumps(limits)],
        stdin=copy.file.fileno(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    alarm = threading.Timer(settings.submit_seconds, child.kill)
    with child:
        alarm.start()
        try:
            said = child.stdout.read(LONGEST_ANSWER) if child.stdout else b""
            child.wait()
        finally:
            alarm.cancel()
            child.kill()
    if child.returncode in (-signal.SIGKILL, -signal.SIGXCPU):
        raise Refusal(
            f"reading it takes more than {settings.submit_seconds:g} seconds",
            hint="the setting `submit_seconds` allows more",
        )
    return parse_answer(said, child.returncode)


def parse_answer(said: bytes, code: int) -> dict[str, str]:
    """A child's answer, if it is one; Refusal if not, for then the file has brought it down."""
    unreadable = Refusal(
        f"it can't be read: its reader ended with code {code}", hint="is the setting `submit_memory` too small?"
    )
    try:
        found: Any = json.loads(said)
    except ValueError:
        raise unreadable from None
    wanted = ("why", "where", "hint") if isinstance(found, dict) and "why" in found else (
        "profile", "name", "filename", "digest")  # fmt: skip
    if code or not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in wanted):
        raise unreadable
    return {key: found[key] if key in ("name", "filename") else printable(found[key]) for key in wanted}


def printable(text: str) -> str:
    """A sentence of the child as it may be shown, whatever has become of the child."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:LONGEST_SENTENCE])
