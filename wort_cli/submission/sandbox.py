"""Checks an untrusted file in a child process of its own, with limits of memory, CPU time and time.

The parent makes a copy of bounded size and passes it to the child (reader_process.py) as standard input.  It trusts
nothing in the child's answer, except that it is a small JSON document with the known keys.
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
MAX_ANSWER = 1 << 16
"""Bytes."""
MAX_SENTENCE_LENGTH = 1000


@dataclass(frozen=True)
class Accepted:
    """What the child reported about a valid signature."""

    profile: str
    name: str
    filename: str
    digest: str
    size: int
    sha256: str
    """Of the bytes as they were received."""


class TemporaryCopy:
    """A copy of a submitted file, in an unnamed file that the kernel removes when this process ends."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self.file = file
        self.size = 0
        self._limit = limit
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append data; raise Refusal above the limit."""
        self.size += len(data)
        if self.size > self._limit:
            raise Refusal(
                f"it is larger than {self._limit:,} bytes", hint="raise the setting `submit_size` to allow more"
            )
        self._hash.update(data)
        self.file.write(data)

    @property
    def sha256(self) -> str:
        """The sha256 of everything that was written."""
        return self._hash.hexdigest()


@contextmanager
def temporary_copy(settings: Settings) -> Iterator[TemporaryCopy]:
    """Yield an empty TemporaryCopy; raise StorageProblem if the disk cannot be written."""
    try:
        with tempfile.TemporaryFile(dir=settings.store_dir) as file:
            yield TemporaryCopy(file, settings.submit_size)
    except OSError as error:
        raise StorageProblem(
            f"{settings.store_dir} cannot be written: {error.strerror}", "see `wort doctor`"
        ) from error


def copy_stream(stream: IO[bytes], copy: TemporaryCopy) -> None:
    """Copy a whole stream; raise Refusal above the limit."""
    while data := stream.read(COPY_BLOCK):
        copy.write(data)


@contextmanager
def open_input(path: Path) -> Iterator[IO[bytes]]:
    """Open a file or a pipe; raise NoSuchFile for anything else: a device, for example, may have no end."""
    try:
        if not (stat.S_ISREG(mode := path.stat().st_mode) or stat.S_ISFIFO(mode)):
            raise NoSuchFile(path, "it is not a file")
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise NoSuchFile(path, getattr(error, "strerror", "") or str(error)) from None
    with file:
        yield file


def check_in_child(copy: TemporaryCopy, settings: Settings) -> Accepted:
    """Return what the child reports about a copy; raise Refusal with the first fault."""
    answer = run_reader(copy, settings)
    if "why" in answer:
        raise Refusal(answer["why"], answer["where"], answer["hint"])
    if answer["profile"] not in PROFILES:
        raise Refusal("it matches no known profile")
    return Accepted(
        answer["profile"], answer["name"], answer["filename"], answer["digest"], copy.size, copy.sha256
    )  # fmt: skip


def run_reader(copy: TemporaryCopy, settings: Settings) -> dict[str, str]:
    """Return the child's answer, a text for each key; raise Refusal if it exceeds a limit or crashes."""
    limits = {
        "memory": settings.submit_memory,
        "seconds": max(1, int(settings.submit_seconds)),
        "unpacked": settings.submit_unpacked,
    }
    copy.file.flush()
    os.lseek(copy.file.fileno(), 0, os.SEEK_SET)
    child = subprocess.Popen(
        # -I: neither environment variables nor files in the working directory decide which code runs.
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
            output = child.stdout.read(MAX_ANSWER) if child.stdout else b""
            child.wait()
        finally:
            alarm.cancel()
            child.kill()
    if child.returncode in (-signal.SIGKILL, -signal.SIGXCPU):
        raise Refusal(
            f"reading it takes more than {settings.submit_seconds:g} seconds",
            hint="raise the setting `submit_seconds` to allow more",
        )
    return parse_answer(output, child.returncode)


def parse_answer(output: bytes, code: int) -> dict[str, str]:
    """Return the texts in a child's output; raise Refusal if it has no answer, because the file made it crash."""
    unreadable = Refusal(
        f"it cannot be read: the reader exited with code {code}", hint="the setting `submit_memory` may be too small"
    )
    try:
        found: Any = json.loads(output)
    except ValueError:
        raise unreadable from None
    keys = ("why", "where", "hint") if isinstance(found, dict) and "why" in found else (
        "profile", "name", "filename", "digest")  # fmt: skip
    if code or not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in keys):
        raise unreadable
    return {key: found[key] if key in ("name", "filename") else printable(found[key]) for key in keys}


def printable(text: str) -> str:
    """Return a text of the child, which may be compromised, without control characters and of bounded length."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:MAX_SENTENCE_LENGTH])
