"""Checks an untrusted file in a child process of its own, with limits of memory, CPU time and time.

The parent makes a copy of bounded size and passes it to the child (reader_process.py) as standard input.  It trusts
nothing in the child's answer, except that it is a small JSON document with the known keys.
"""

import hashlib
import json
import math
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from wort_cli.errors import NoSuchFile, StorageProblem, printable
from wort_cli.model.profile import SRA_V1, Profile, profile_for
from wort_cli.model.signature_file import SignatureDocument
from wort_cli.reading.abundance import Bin
from wort_cli.reading.checks import Check
from wort_cli.reading.facts import SignatureFacts, SketchFacts
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import LimitExceeded, Refusal
from wort_cli.reading.signature_stream import SignatureStream
from wort_cli.settings import Settings

COPY_BLOCK = 1 << 20
MAX_ANSWER = 1 << 20
"""Bytes."""
MAX_SENTENCE_LENGTH = 1000
WRONG_ANSWER = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""The errors of reading an answer that no reader writes."""
TEXTS, COUNTS, OPTIONAL = (
    ("molecule", "md5"),
    ("k", "scaled", "num", "hashes"),
    ("distinct_kmers", "kmers", "singletons", "median_abundance"),
)
"""The keys of `sketch_statistics`: texts, counts, and numbers that may be None."""


@dataclass(frozen=True)
class Accepted:
    """The child's report of a valid signature."""

    profile: str
    name: str
    filename: str
    digest: str
    size: int
    sha256: str
    """The sha256 of the bytes as they were received."""
    is_joined: bool = False
    """Whether it came as several signatures, one for each sketch, or in a zip file."""


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
            raise LimitExceeded(
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


def check_in_child(copy: TemporaryCopy, settings: Settings, profile: Profile = SRA_V1) -> Accepted:
    """Return what the child reports about a copy of a signature of a profile; raise Refusal with the first fault."""
    copy.file.flush()
    facts = run_reader(copy.file, ReadLimits.of(settings), profile, any_parameters=False)
    if facts.profile != profile_for(facts.name, profile.name):
        raise Refusal(f"its parameters are not those of the profile {profile.name}", check=Check.PROFILE)
    return Accepted(facts.profile, facts.name, facts.filename, facts.digest, copy.size, copy.sha256, facts.is_joined)


def read_in_child(file: IO[bytes], limits: ReadLimits, profile: Profile = SRA_V1) -> SignatureFacts:
    """Return what the child reports about an open file, whatever its parameters; raise Refusal with the first fault."""
    return run_reader(file, limits, profile, any_parameters=True)


def run_reader(file: IO[bytes], limits: ReadLimits, profile: Profile, *, any_parameters: bool) -> SignatureFacts:
    """Return the child's answer; raise Refusal if it exceeds a limit or crashes."""
    wanted = {"name": profile.name, "definition": profile.to_json()}
    with started_reader(file, limits, any_parameters=any_parameters, profile=wanted) as child:
        output = child.stdout.read(MAX_ANSWER) if child.stdout else b""
        child.wait()
    check_time(child.returncode, limits)
    return parse_answer(output, child.returncode)


def stream_from_child(file: IO[bytes], limits: ReadLimits, most: int) -> Iterator[SignatureDocument]:
    """Yield the signatures of an open file, at most `most`, with their hashes, as a child reads them.

    Raises Refusal with the first fault, or if the child exceeds a limit or crashes.
    """
    last: dict[str, Any] = {}
    with started_reader(file, limits, signatures=most) as child:
        try:
            if child.stdout:
                stream = SignatureStream(child.stdout, limits.memory)
                yield from stream
                last = stream.last
            child.wait()
        except WRONG_ANSWER:
            with suppress(subprocess.TimeoutExpired):
                child.wait(1.0)
        code = child.poll()
    check_time(code, limits)
    if last != {"end": True} or code:
        parse_answer(json.dumps(last).encode(), code or 0)  # raises the Refusal in it, or one that says that it crashed


@contextmanager
def started_reader(file: IO[bytes], limits: ReadLimits, **arguments: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start the reader's process on an open file, from its start; kill it at the end, or when its time is over."""
    known = {"memory": limits.memory, "seconds": max(1, int(limits.seconds)), "unpacked": limits.unpacked}
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    child = subprocess.Popen(
        # -I: neither environment variables nor files in the working directory decide which code runs.
        [sys.executable, "-I", "-m", "wort_cli.reading.reader_process", json.dumps({**known, **arguments})],
        stdin=file.fileno(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    alarm = threading.Timer(limits.seconds, child.kill)
    with child:
        alarm.start()
        try:
            yield child
        finally:
            alarm.cancel()
            child.kill()


def check_time(code: int | None, limits: ReadLimits) -> None:
    """Raise LimitExceeded if a child ended with the code of one that was killed because its time was over."""
    if code in (-signal.SIGKILL, -signal.SIGXCPU):
        raise LimitExceeded(
            f"reading it takes more than {limits.seconds:g} seconds",
            hint="raise the setting `submit_seconds` to allow more",
        )


def parse_answer(output: bytes, code: int) -> SignatureFacts:
    """Return the facts in the child's answer; raise Refusal if it is a fault, or if there is no answer: it crashed."""
    unreadable = Refusal(
        f"it cannot be read: the reader exited with code {code}",
        hint="the setting `submit_memory` may be too small",
        check=Check.LIMITS,
    )
    try:
        found: Any = json.loads(output)
        if code:
            raise unreadable
        if "why" in found:
            kind = LimitExceeded if found.get("limit") is True else Refusal
            why, where, hint = (bounded(text_at(found, key)) for key in ("why", "where", "hint"))
            raise kind(why, where, hint, Check(found["check"]))
        return SignatureFacts(
            bounded(text_at(found, "profile")),
            text_at(found, "name"),
            text_at(found, "filename"),
            bounded(text_at(found, "digest")),
            tuple(sketch_in(sketch) for sketch in found["sketches"]),
            found.get("is_joined") is True,
            text_at(found, "title"),
        )
    except WRONG_ANSWER:
        raise unreadable from None


def text_at(found: Mapping[str, Any], key: str) -> str:
    """Return a text of an answer; raise TypeError if it is not one."""
    if not isinstance(found[key], str):
        raise TypeError(key)
    return str(found[key])


def number_at(found: Mapping[str, Any], key: str) -> int | float | None:
    """Return a finite number of an answer, or None; raise TypeError if it is neither."""
    value = found[key]
    if value is not None and (type(value) not in (int, float) or not math.isfinite(value)):
        raise TypeError(key)
    return value if value is None or type(value) is int else float(value)


def sketch_in(found: Mapping[str, Any]) -> SketchFacts:
    """Return a sketch of an answer: numbers, and printable texts.  Raises TypeError, KeyError or ValueError."""
    given = found["statistics"]
    statistics: dict[str, Any] = {
        **{key: bounded(text_at(given, key)) for key in TEXTS},
        **{key: int(given[key]) for key in COUNTS},
        **{key: number_at(given, key) for key in OPTIONAL},
    }
    histogram = tuple(Bin(int(each["low"]), int(each["high"]), int(each["hashes"])) for each in found["histogram"])
    return SketchFacts(statistics, int(found["abundance_sum"]), histogram)


def bounded(text: str) -> str:
    """Return a text of the child, which may be compromised, without control characters and of bounded length."""
    return printable(text[:MAX_SENTENCE_LENGTH])
