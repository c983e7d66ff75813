"""Reads one file of reads: its sums, its decompressed content, its text; and notices if it changes meanwhile."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.read_files import STDIN, ReadFile, is_url, recorded
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.reads.decompress import LONGEST_MAGIC, compression_of, decompressed
from wort_cli.pipeline.reads.faults import BadReads
from wort_cli.pipeline.reads.molecule import MoleculeCheck
from wort_cli.pipeline.reads.parser import ReadsParser, Text
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.system.cancellation import Cancellation
from wort_cli.system.file_state import FileState
from wort_cli.system.network_disks import check_answers

BLOCK = 1 << 20
"""Bytes that are read at a time."""
PACKED = 4
"""Bases of a byte of compressed DNA, at most."""


class Readable(Protocol):
    """A source of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; none at the end."""


class FileReader:
    """Reads a file once.  Not thread-safe, except for its counts."""

    def __init__(self, location: str, parser: ReadsParser, spec: JobSpec | None = None) -> None:
        self.location = location
        self.is_on_disk = location != STDIN and not is_url(location)
        self.size = size_of(Path(location)) if self.is_on_disk else 0
        """Bytes of the file before it was read; 0 while that is not known."""
        self.done = 0
        """Bytes that were read."""
        self._parser = parser
        self._spec = spec
        self._sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)

    @property
    def stats(self) -> ReadStats:
        """Counts of the reads so far."""
        return self._parser.stats

    def estimate_bases(self) -> int:
        """Return about how many bases the file has, rather too many: by its size and its first bytes.

        DNA takes a byte for each base, or two bits if it is compressed; with qualities, about twice that.
        """
        if not self.is_on_disk:
            return self.size
        with opened(self.location) as (file, _):
            head = file.read(LONGEST_MAGIC)
        packed = compression_of(head) is not None
        has_qualities = ".fq" in self.location.lower() or ".fastq" in self.location.lower() or head.startswith(b"@")
        return self.size * (PACKED if packed else 1) // (2 if has_qualities else 1)

    def read(self, emit: Callable[[Text], None], cancellation: Cancellation) -> ReadFile:
        """Give the text of all reads to `emit`; return what the file is.

        Raises JobFailed if the file is missing, has a fault or changes while it is read; Cancelled; OSError.
        """
        try:
            if is_url(self.location) and self._spec is not None:
                from wort_cli.pipeline.reads.remote import remote_file

                with remote_file(self.location, self._spec, cancellation) as remote:
                    return self._read(remote, None, emit, cancellation)
            with opened(self.location) as (file, before):
                return self._read(file, before, emit, cancellation)
        except BadReads as bad:
            raise bad.of("standard input" if self.location == STDIN else recorded(self.location)) from None

    def _read(
        self, file: Readable, before: FileState | None, emit: Callable[[Text], None], cancellation: Cancellation
    ) -> ReadFile:
        blocks = self._blocks(file, before, cancellation)
        first = next(blocks, b"")
        compression, molecule = compression_of(first), MoleculeCheck()

        def checked(text: Text) -> None:
            molecule.see(text)
            emit(text)

        for piece in decompressed(compression, chained(first, blocks)):
            checked(self._parser.feed(piece))
        checked(self._parser.finish())
        molecule.finish()
        if before is not None and (FileState.of(Path(self.location)) != before or self.done != before.size):
            raise changed(self.location)
        return ReadFile(
            path=recorded(self.location),
            size=self.done,
            mtime=before.mtime if before else 0.0,
            sha256=self._sha256.hexdigest(),
            md5=self._md5.hexdigest(),
            format=self._parser.format,
            compression=compression.name if compression else "",
            reads=self.stats.reads,
            bases=self.stats.bases,
        )

    def _blocks(self, file: Readable, before: FileState | None, cancellation: Cancellation) -> Iterator[bytes]:
        """Yield the bytes of the file, and add them to its sums."""
        while block := file.read(BLOCK):
            cancellation.check()
            self._sha256.update(block)
            self._md5.update(block)
            self.done += len(block)
            if before is not None and self.done > before.size:
                raise changed(self.location)
            if before is None and self._spec is not None:
                self.size = getattr(file, "size", 0)
            yield block


def chained(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a first block, and the others."""
    if first:
        yield first
    yield from blocks


@contextmanager
def opened(location: str) -> Iterator[tuple[IO[bytes], FileState | None]]:
    """Open a file; yield it with its state, which is None for standard input.

    Raises JobFailed(not-found) if it cannot be opened.
    """
    if location == STDIN:
        yield sys.stdin.buffer, None
        return
    path = Path(location)
    try:
        before = FileState.of(path)
        file = path.open("rb")
    except OSError as error:
        raise missing(path, error) from error
    with file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        yield file, before


def size_of(path: Path) -> int:
    """Return the size of a file; raise JobFailed(not-found) if there is none."""
    check_answers([path])
    try:
        return path.stat().st_size
    except OSError as error:
        raise missing(path, error) from error


def changed(path: str) -> JobFailed:
    """Return the failure of a job whose file was written to while it was read."""
    return JobFailed(Reason.INCOMPLETE, f"{path} was changed while it was read")


def missing(path: Path, error: OSError) -> JobFailed:
    """Return the failure of a job whose file cannot be read."""
    return JobFailed(Reason.NOT_FOUND, f"{path}: {error.strerror}")
