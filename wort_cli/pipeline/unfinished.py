"""Leaves the work of a task that is asked to end where the next task of the same run finds it (setting `keep_slices`).

    unfinished/SRR139146/KEY/ORIGIN/1-500.slice     a finished slice (sketching/slices.py)
    unfinished/SRR139146/KEY/archive                what was fetched of the archive: a seal, the map, the bytes

They are in the bucket, or in the directory that takes its place.  KEY names the key that seals them; ORIGIN names all
that the counts of a slice depend on besides its spots: archive, profiles, references.  Nothing is taken whose seal is
wrong, and what was fetched is compared with the archive's sums, as after any fetch.  All of it is deleted when the run
is published; wort deletes no other objects.  A store that fails costs work, and no signature.
"""

import contextlib
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.partial import MAP, extents_of
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.bucket import accession_of, call_cancellable, open_store
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.resources import reserve_disk
from wort_cli.pipeline.sketching.slices import Slice, SliceStore
from wort_cli.pipeline.workspace import Workspace
from wort_cli.reading.documents import parse_json
from wort_cli.stores.object_store import Headers, ObjectStore, ObjectTooLarge, PreconditionFailed, StoreError
from wort_cli.system.atomic_files import atomic_file, write_atomically
from wort_cli.system.cancellation import NEVER
from wort_cli.system.private_files import make_private
from wort_cli.system.seals import SEAL, seal_of, sealed_document
from wort_cli.system.stuck_threads import call_within

BYTES = Headers("application/octet-stream")
PARTS = "fetched parts of an archive"
"""The kind of their seal."""
LONGEST_LINE = 1 << 16
"""Bytes of the first line of a slice, and of the seal of what was fetched."""
BLOCK = 1 << 20
Log = Callable[[str], None]


class UnfinishedWork:
    """The unfinished work of a run in the store."""

    def __init__(self, objects: ObjectStore, name: Accession, key: bytes, most: int) -> None:
        self._objects = objects
        self._key = key
        self._most = most
        """Bytes of a run, at most."""
        self._run = f"unfinished/{name}/"
        self._mine = f"{self._run}{hmac.new(key, b'unfinished', 'sha256').hexdigest()[:16]}/"

    def leave(self, workspace: Workspace, name: Accession) -> int:
        """Put what a workspace has, oldest slices first, up to the limit; return the bytes that are there."""
        left = 0
        for file in sorted(workspace.slices.glob("*.slice"), key=lambda path: path.stat().st_mtime):
            size, origin = file.stat().st_size, origin_in(file)
            if origin is None or left + size > self._most:
                continue
            with contextlib.suppress(PreconditionFailed):  # another task has left it
                self._objects.put(f"{self._mine}{hash_of(origin)}/{file.name}", file, BYTES)
            left += size
        return left + self._leave_archive(workspace.archive_directory / f"{name}.sra", self._most - left)

    def _leave_archive(self, archive: Path, most: int) -> int:
        """Put what was fetched of an archive, unless it is more than `most` bytes; return the bytes."""
        try:
            map_text = archive.with_suffix(".map").read_bytes()
            extents = extents_of(json.loads(map_text)["arrived"], archive.stat().st_size)
        except (OSError, ValueError, TypeError, KeyError):
            return 0
        size = sum(extent.size for extent in extents)
        if not size or size > most:
            return 0
        packed = archive.with_suffix(".packed")
        try:
            with packed.open("w+b") as file:
                pack(archive, map_text, extents, file, self._key)
            there = self._objects.head(f"{self._mine}archive")
            if there is None or there.size < packed.stat().st_size:
                with contextlib.suppress(PreconditionFailed):
                    replacing = there.etag if there else ""
                    self._objects.put(f"{self._mine}archive", packed, BYTES, replacing=replacing)
        finally:
            packed.unlink(missing_ok=True)
        return size

    def take_slices(self, directory: Path, inputs: Mapping[str, str], store: SliceStore) -> int:
        """Fetch slices that were made from `inputs`; return how many are right.  Those that are not are deleted."""
        taken = left = 0
        prefix = f"{self._mine}{hash_of(inputs)}/"
        for found in self._objects.list(prefix):
            wanted = slice_named(found.key.removeprefix(prefix))
            left += found.size
            if wanted is None or left > self._most or (directory / f"{wanted.first}-{wanted.last}.slice").exists():
                continue
            path = directory / f"{wanted.first}-{wanted.last}.slice"
            with contextlib.suppress(ObjectTooLarge):
                with atomic_file(path) as file:
                    self._objects.read(found.key, file, found.size)
                if store.load(wanted) is not None:
                    taken += 1
                    continue
            path.unlink(missing_ok=True)
            self._objects.delete(found.key)
        return taken

    def size_of_archive(self) -> int:
        """Return the bytes that an earlier task fetched of the archive and left."""
        found = self._objects.head(f"{self._mine}archive")
        return found.size if found else 0

    def take_archive(self, directory: Path, name: Accession) -> int:
        """Fetch what an earlier task fetched of the archive into a new directory; return the bytes, 0 for none.

        What has no right seal is deleted.
        """
        key = f"{self._mine}archive"
        make_private(directory)
        packed = directory / f"{name}.packed"
        try:
            with packed.open("w+b") as file:
                if self._objects.read(key, file, self._most + 2 * LONGEST_LINE + (1 << 26)) is None:
                    return 0
                try:
                    return unpack(file, directory / f"{name}.sra", self._key)
                except (ValueError, TypeError, KeyError, RecursionError):
                    self._objects.delete(key)
                    return 0
        except ObjectTooLarge:
            return 0
        finally:
            packed.unlink(missing_ok=True)

    def remove(self) -> int:
        """Delete what any task has left of the run; return how many objects."""
        keys = [found.key for found in self._objects.list(self._run)]
        for key in keys:
            self._objects.delete(key)
        return len(keys)


def unfinished_of(spec: JobSpec, workspace: Workspace) -> UnfinishedWork | None:
    """Return the unfinished work of a job; None if its settings keep none, or if it has no store to write to."""
    if not spec.keeping.keep_slices or spec.s3 is None or spec.s3.unsigned or spec.subject is not None:
        return None
    return UnfinishedWork(
        open_store(spec).objects, accession_of(spec), workspace.parts_key, spec.keeping.keep_slices_bytes
    )


def leave_unfinished(spec: JobSpec, workspace: Workspace, log: Log, seconds: float) -> None:
    """Leave what a workspace has for the next task, within so many seconds; an error is only logged."""

    def leave() -> int:
        work = unfinished_of(spec, workspace)
        return 0 if work is None else work.leave(workspace, accession_of(spec))

    try:
        if left := call_within(leave, seconds, NEVER):
            log(f"left {left:,} bytes of unfinished work for the next task")
    except (StoreError, OSError) as error:
        log(f"unfinished work is not left, or not all of it: {error}")


def take_slices(attempt: Attempt, inputs: Mapping[str, str], store: SliceStore) -> None:
    """Take finished slices that an earlier task has left; an error is only logged.  Raises Cancelled."""

    def take() -> int:
        work = unfinished_of(attempt.spec, attempt.workspace)
        return 0 if work is None else work.take_slices(attempt.workspace.slices, inputs, store)

    logged(attempt, take, "{} finished slices that an earlier task has left")


def take_archive(attempt: Attempt, name: Accession) -> None:
    """Take what an earlier task has fetched of an archive; an error is only logged.  Raises Cancelled."""
    if attempt.workspace.archive_directory.exists():
        return

    def take() -> int:
        work = unfinished_of(attempt.spec, attempt.workspace)
        if work is None or not (size := work.size_of_archive()):
            return 0
        reserve_disk(2 * size, attempt.spec, attempt.workspace)
        return work.take_archive(attempt.workspace.archive_directory, name)

    logged(attempt, take, "{:,} bytes that an earlier task has fetched")


def remove_unfinished(attempt: Attempt) -> None:
    """Delete what tasks have left of a run that is published now; an error is only logged.  Raises Cancelled."""

    def remove() -> int:
        work = unfinished_of(attempt.spec, attempt.workspace)
        return 0 if work is None else work.remove()

    logged(attempt, remove, "deleted {} objects of unfinished work")


def logged(attempt: Attempt, call: Callable[[], int], sentence: str) -> None:
    """Call a function, and log its result, unless that is 0, or its error."""
    try:
        if found := call_cancellable(call, attempt.cancellation):
            attempt.log(sentence.format(found))
    except (StoreError, OSError, JobFailed) as error:
        attempt.log(f"unfinished work in the store: {error}")


# ---- formats


def hash_of(inputs: Mapping[str, str]) -> str:
    """Return the name of what slices were made from."""
    return hashlib.sha256(json.dumps(dict(inputs), sort_keys=True).encode()).hexdigest()[:24]


def origin_in(file: Path) -> dict[str, str] | None:
    """Return what a slice was made from, as its file says; None if it does not."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        with file.open("rb") as opened:
            origin = parse_json(opened.readline(LONGEST_LINE))["origin"]
        return origin if isinstance(origin, dict) else None
    return None


def slice_named(name: str) -> Slice | None:
    """Return the slice whose file has this name; None if no slice has."""
    first, _, last = name.removesuffix(".slice").partition("-")
    plain = all(part.isascii() and part.isdigit() and len(part) < 20 for part in (first, last))
    return Slice(int(first), int(last)) if name.endswith(".slice") and plain else None


def pack(archive: Path, map_text: bytes, extents: list[Extent], file: IO[bytes], key: bytes) -> None:
    """Write what was fetched of an archive: a line with a seal, the map, and the bytes of its extents in order."""
    digest, size = hashlib.sha256(map_text), sum(extent.size for extent in extents)
    with archive.open("rb") as source:
        for block in blocks_of(source, extents):
            digest.update(block)
        head = {"map": len(map_text), "size": size, "sha256": digest.hexdigest()}
        file.write(sealed_document(head, key, PARTS) + b"\n" + map_text)
        for block in blocks_of(source, extents):
            file.write(block)


def unpack(file: IO[bytes], archive: Path, key: bytes) -> int:
    """Write a sparse archive and its map from what `pack` wrote; return the bytes.

    Raises ValueError, TypeError, KeyError or RecursionError, and writes nothing, if it has no right seal.
    """
    file.seek(0)
    head = parse_json(file.readline(LONGEST_LINE))
    seal = head.pop(SEAL)
    if not hmac.compare_digest(str(seal).encode(), seal_of(head, key, PARTS).encode()):
        raise ValueError("it has another seal")
    start, digest = file.tell(), hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    if digest.hexdigest() != head["sha256"]:
        raise ValueError("it has other bytes")
    file.seek(start)
    map_text = file.read(head["map"])
    document: Any = json.loads(map_text)
    whole = int(document["identity"]["size"])
    extents = extents_of(document["arrived"], whole)
    if document.get(SEAL) != seal_of({name: document[name] for name in document if name != SEAL}, key, MAP):
        raise ValueError("its map has another seal")
    with archive.open("wb") as made:
        for extent in extents:
            made.seek(extent.offset)
            left = extent.size
            while left:
                block = file.read(min(BLOCK, left))
                if not block:
                    raise ValueError("it is too short")
                made.write(block)
                left -= len(block)
        made.truncate(whole)
        made.flush()
        os.fsync(made.fileno())
    write_atomically(archive.with_suffix(".map"), map_text)
    return int(head["size"])


def blocks_of(source: IO[bytes], extents: list[Extent]) -> Iterator[bytes]:
    """Yield the bytes of some extents of a file.  Raises OSError if it is too short."""
    for extent in extents:
        position = extent.offset
        while position < extent.end:
            block = os.pread(source.fileno(), min(BLOCK, extent.end - position), position)
            if not block:
                raise OSError(f"{source.name} is shorter than its map says")
            yield block
            position += len(block)
