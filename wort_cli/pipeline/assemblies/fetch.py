"""Fetches the file with the sequences of an assembly into the workspace, and proves it by its md5.

What has arrived is kept for the next attempt, with a note of which content of which URL it is.  A server that has
another content by then sends the file from its start.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.http import Answer, host_of, url_without_query
from wort_cli.pipeline.assemblies.answers import Kind, Outcome, failure_of, meaning_of
from wort_cli.pipeline.assemblies.requests import CONTENT_RANGE, Requests, explained, first_bytes, header, tag_of
from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.cancellation import Cancellation
from wort_cli.system.private_files import make_private

FAILURES = 4
"""Requests in a row that bring nothing, after which the attempt fails."""
PAUSE = 1.0
"""Seconds before a request is repeated."""
REPORT_INTERVAL = 0.25
BLOCK = 1 << 20


@dataclass(frozen=True)
class Note:
    """The URL and the version of a file that has arrived in part."""

    url: str
    tag: str
    size: int
    """Bytes of the whole file; 0 if the server did not say."""


class AssemblyFile:
    """The file of an assembly in a directory, which outlives the attempt."""

    def __init__(
        self,
        directory: Path,
        requests: Requests,
        report: Callable[[int, int], None],
        reserve: Callable[[int], None],
    ) -> None:
        self.path = directory / "sequences.fna.gz"
        self._note_path = directory / "sequences.json"
        self._requests = requests
        self._report = report
        """Called with the bytes that have arrived, and those in all."""
        self._reserve = reserve
        """Called with the bytes that the disk must have room for."""

    def fetch(self, url: str) -> None:
        """Fetch the file, from where an earlier attempt stopped.  Raises JobFailed, Cancelled or OSError."""
        failures = 0
        while not self._is_complete(url):
            before = self._arrived(url)
            try:
                self._request(url)
            except JobFailed as failed:
                failures = failures + 1 if self._arrived(url) <= before else 1
                if failures >= FAILURES or failed.failure.reason is not Reason.NETWORK:
                    raise
                self._requests.wait(PAUSE)

    def remove(self) -> None:
        """Remove what has arrived."""
        self._note_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def md5(self, cancellation: Cancellation) -> str:
        """Return the md5 of the file."""
        found = hashlib.md5(usedforsecurity=False)
        with self.path.open("rb") as file:
            while block := file.read(BLOCK):
                cancellation.check()
                found.update(block)
        return found.hexdigest()

    def _note(self, url: str) -> Note | None:
        """Return the note of an earlier request for this URL; None if there is none."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            found = Note(**json.loads(self._note_path.read_bytes()))
            if found.url == url_without_query(url) and isinstance(found.size, int) and isinstance(found.tag, str):
                return found
        return None

    def _arrived(self, url: str) -> int:
        with contextlib.suppress(OSError):
            return self.path.stat().st_size if self._note(url) else 0
        return 0

    def _is_complete(self, url: str) -> bool:
        note = self._note(url)
        return note is not None and 0 < note.size == self._arrived(url)

    def _request(self, url: str) -> None:
        """Request what is missing, and write what comes."""
        note, done = self._note(url), self._arrived(url)
        headers = {"Range": f"bytes={done}-", "If-Range": note.tag} if note and note.tag and done else {}
        with (
            explained(url),
            self._requests.client.request("GET", url, headers, cancellation=self._requests.cancellation) as answer,
        ):
            head = first_bytes(answer.body)
            continues = bool(headers) and answer.status == 206
            check(Kind.REST if continues else Kind.FILE, url, answer, head)
            if continues and note is not None and self._is_rest(answer, note, done):
                size = note.size
            elif continues:
                self.remove()
                raise JobFailed(
                    Reason.NETWORK, f"{url_without_query(url)}: the server sent another range than was requested"
                )
            else:
                done, size = 0, length_of(answer, url)
                self._reserve(size)
                self._save(Note(url_without_query(url), tag_of(answer.headers), size))
            with self.path.open("r+b" if done else "wb") as file:
                file.seek(done)
                file.truncate()
                self._write(file, head, answer.body, done, size)
        if not size:  # the answer said where it ends in another way, and has ended
            self._save(Note(url_without_query(url), tag_of(answer.headers), self.path.stat().st_size))

    def _save(self, note: Note) -> None:
        make_private(self.path.parent)
        write_atomically(self._note_path, json.dumps(asdict(note)).encode())

    def _is_rest(self, answer: Answer, note: Note, done: int) -> bool:
        found = CONTENT_RANGE.fullmatch(header(answer.headers, "content-range"))
        same = tag_of(answer.headers) in ("", note.tag)  # a server may ignore If-Range
        return same and found is not None and (int(found[1]), int(found[3])) == (done, note.size)

    def _write(self, file: IO[bytes], head: bytes, body: Iterator[bytes], done: int, size: int) -> None:
        last_report = 0.0
        for piece in chained(head, body):
            file.write(piece)
            done += len(piece)
            if size and done > size:
                raise JobFailed(Reason.NETWORK, "the server sent more bytes than it announced")
            if time.monotonic() - last_report > REPORT_INTERVAL:
                self._report(done, size)
                last_report = time.monotonic()


def check(kind: Kind, url: str, answer: Answer, head: bytes) -> None:
    """Raise JobFailed unless the file follows, or the rest of it."""
    meaning = meaning_of(kind, answer.status, head)
    if meaning.outcome is Outcome.NOTHING:
        raise JobFailed(Reason.NO_DATA, f"{url_without_query(url)}: {meaning.sentence}, although NCBI lists it")
    if meaning.outcome is not Outcome.CONTENT:
        raise failure_of(meaning, kind, url_without_query(url), answer.status)


def length_of(answer: Answer, url: str) -> int:
    """Return how many bytes an answer announces; 0 if it ends in chunks.  Raises JobFailed if it does not say."""
    length = header(answer.headers, "content-length")
    if length.isdecimal():
        return int(length)
    if "chunked" in header(answer.headers, "transfer-encoding").lower():
        return 0
    raise JobFailed(Reason.NETWORK, f"{host_of(url)} does not say how long the file is")


def chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the first bytes of a body, and the others."""
    if first:
        yield first
    yield from rest
