"""The reference sequences that wort has fetched, shared by all jobs of a home.

An aligned archive may store only how its reads differ from references that are other archives: complete sequences
(`NC_000005.8`), or contigs of whole genome shotgun projects, all contigs of a project in one file (`AAAB01` has
`AAAB01006027.1`).  The toolkit finds them below the root of this store (toolkit/configuration.py).

    refseq/NC_000005.8           the reference's archive
    wgs/AAAB01
    sums/NC_000005.8.json        its md5 and size, sealed, and written before the archive gets its name
    locks/NC_000005.8            locked by all jobs that use or fetch it
    fetching/NC_000005.8/        what has arrived of it

A reference that no job uses is removed when the store exceeds its limit, the least recently used first.
"""

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wort_cli.pipeline.archives.checksums import md5_of
from wort_cli.pipeline.toolkit.configuration import REFSEQ, WGS
from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.cancellation import Cancellation
from wort_cli.system.file_locks import try_lock
from wort_cli.system.private_files import make_private
from wort_cli.system.seals import read_sealed_document, sealed_document

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
CONTIG = re.compile(r"(?P<project>([A-Z]{2}_)?([A-Z]{4}|[A-Z]{6})\d\d)\d{6,9}(\.\d+)?")
"""The accession of a contig of a project (ncbi-vdb libs/vfs/resolver.c, expand_algorithm)."""
ROUNDS = 3
"""The number of times that a reference is fetched when other processes change it."""
PIECE = 1 << 20
"""Bytes that are read together."""
SEALED = "sum of a reference"
"""The kind of the seal of a sum."""
CHECK_INTERVAL = 0.1
"""Seconds between two looks whether another job has fetched a reference."""


@dataclass(frozen=True)
class Reference:
    """A sequence outside of an archive that its aligned reads refer to."""

    name: str
    """Its accession with version, as the archive has it; not checked."""
    path: Path | None
    """Where the toolkit finds it on disk; None if it does not."""

    @property
    def has_plain_name(self) -> bool:
        """Whether the name can be that of a file, and can be asked for."""
        return PLAIN_NAME.fullmatch(self.name) is not None

    @property
    def file_name(self) -> str:
        """The name of the file that has the sequence."""
        contig = CONTIG.fullmatch(self.name)
        return contig["project"] if contig else self.name

    @property
    def folder(self) -> str:
        """The directory of a store in which the toolkit looks for the file."""
        return WGS if CONTIG.fullmatch(self.name) else REFSEQ


@dataclass(frozen=True)
class Sum:
    """The md5 and the size of a reference's archive, as the locator gave them."""

    md5: str
    size: int


class ReferenceStore:
    """The references below `root`, at most about `limit` bytes."""

    def __init__(self, root: Path, limit: int, key: bytes = b"") -> None:
        """Use a directory; `key` is that of the home, with which the sums are sealed."""
        self.root = root
        self._limit = limit
        self.key = key

    def path(self, reference: Reference) -> Path:
        """Return where the archive of a reference is, if it is here."""
        return self.root / reference.folder / reference.file_name

    def partial(self, reference: Reference) -> Path:
        """Return the directory of what has arrived of a reference; the caller holds its lock."""
        return self.root / "fetching" / reference.file_name

    def known_sum(self, reference: Reference) -> Sum | None:
        """Return the sum that this home recorded of a reference that is here; None if it is not here."""
        try:
            data = read_sealed_document(self._sum_file(reference), self.key, SEALED)
            found = Sum(str(data["md5"]), int(data["size"]))
            is_here = data["name"] == reference.file_name and self.path(reference).stat().st_size == found.size
            return found if is_here else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def add(self, reference: Reference, archive: Path, proved: Sum) -> None:
        """Move a proved archive to its place; the caller holds the lock."""
        document = {"name": reference.file_name, "md5": proved.md5, "size": proved.size}
        write_atomically(self._sum_file(reference), sealed_document(document, self.key, SEALED))
        place = self.path(reference)
        make_private(place.parent)
        archive.replace(place)
        shutil.rmtree(self.partial(reference), ignore_errors=True)

    def remove(self, reference: Reference) -> None:
        """Remove a reference; the caller has locked it."""
        self.path(reference).unlink(missing_ok=True)
        self._sum_file(reference).unlink(missing_ok=True)

    @contextlib.contextmanager
    def held(self, reference: Reference, fetch: Callable[[], None], cancellation: Cancellation) -> Iterator[Sum]:
        """Keep a reference here while the context lasts; yield its sum, which it matches.

        `fetch` is called if it is not here, by one process at a time; others wait for that one.  Raises Cancelled, what
        `fetch` raises, or OSError if the store cannot be written.
        """
        lock = self.root / "locks" / reference.file_name
        make_private(lock.parent)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fetched = 0
            while (found := self._share_if_here(descriptor, reference, cancellation)) is None:
                cancellation.check()
                if not try_lock(descriptor, fcntl.LOCK_EX):
                    time.sleep(CHECK_INTERVAL)
                elif self.known_sum(reference) is None:
                    if fetched == ROUNDS:
                        raise OSError(f"{self.path(reference)} is changed by another process each time it is written")
                    fetched += 1
                    fetch()
                    self.remove_unused(reference)
            os.utime(self.path(reference))
            yield found
        finally:
            os.close(descriptor)

    def _share_if_here(self, descriptor: int, reference: Reference, cancellation: Cancellation) -> Sum | None:
        """Lock a reference so that nobody removes it; return its sum, or None if it is not here, or was changed."""
        if not try_lock(descriptor, fcntl.LOCK_SH):
            return None
        known = self.known_sum(reference)
        if known is not None and md5_of_file(self.path(reference), cancellation) == known.md5:
            return known
        if known is not None:
            self.remove(reference)
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # else two waiting jobs would keep each other from fetching
        return None

    def unfinished(self) -> list[Path]:
        """Return the directories of what has arrived of references that are not here yet."""
        with contextlib.suppress(OSError):
            return sorted((self.root / "fetching").iterdir())
        return []

    def discard(self, unfinished: Path) -> bool:
        """Remove what has arrived of a reference, unless a job fetches it; return whether it was removed."""
        try:
            descriptor = os.open(self.root / "locks" / unfinished.name, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            if try_lock(descriptor, fcntl.LOCK_EX):
                shutil.rmtree(unfinished, ignore_errors=True)
        finally:
            os.close(descriptor)
        return not unfinished.exists()

    def remove_unused(self, but: Reference) -> None:
        """Remove the least recently used references until the rest is within the limit, except those in use."""
        files = [path for folder in (REFSEQ, WGS) for path in (self.root / folder).glob("*")]
        files.sort(key=lambda path: path.stat().st_mtime)
        size = sum(path.stat().st_size for path in files)
        for path in files:
            if size <= self._limit:
                return
            if path == self.path(but):
                continue
            descriptor = os.open(self.root / "locks" / path.name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if try_lock(descriptor, fcntl.LOCK_EX):
                    size -= path.stat().st_size
                    path.unlink()
                    (self.root / "sums" / f"{path.name}.json").unlink(missing_ok=True)
            finally:
                os.close(descriptor)

    def _sum_file(self, reference: Reference) -> Path:
        return self.root / "sums" / f"{reference.file_name}.json"


def md5_of_file(path: Path, cancellation: Cancellation) -> str:
    """Return the md5 of a file in hexadecimal."""
    with path.open("rb") as file:
        return md5_of(iter(lambda: file.read(PIECE), b""), cancellation)
