"""Fetches the archive of a run into a directory of the user's, where other machines find it without a network.

    DIR/ACC/ACC.sra.columns   the needed columns, or, on request and where these do not suffice, ...
    DIR/ACC/ACC.sra           ... the whole archive; `.sralite` if it is a Lite one
    DIR/ACC/*.json            the record of the file (fetch_record.py)
    DIR/ACC/.fetching/        what has arrived; the next attempt continues from there

The record is written first and the file renamed then, so that a file of columns never lacks its record.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import wort_cli
from wort_cli.model.archive_format import ALLOWED, Format
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.archive_format import format_inside
from wort_cli.pipeline.archives.archive_names import COLUMNS
from wort_cli.pipeline.archives.column_proof import NotProvable, read_contents, reader_of
from wort_cli.pipeline.archives.fetch_record import (
    FetchRecord,
    has_only_columns,
    is_ours,
    read_record,
    record_path,
    write_record,
)
from wort_cli.pipeline.archives.http import host_of, url_without_query
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.obtain import Obtained, Obtainer
from wort_cli.pipeline.archives.offer import Wish
from wort_cli.pipeline.archives.on_disk import choose, find_in_folder
from wort_cli.pipeline.archives.partial import extents_in_map
from wort_cli.pipeline.archives.prove import ArchiveProof, file_md5
from wort_cli.system.atomic_files import exclusive_file
from wort_cli.system.private_files import make_shared

ENDINGS = {Format.NORMALIZED: ".sra", Format.LITE: ".sralite"}
FILE_MODE = 0o644
"""Others may read what is fetched, but not write it: then its record could not be believed."""
DAMAGE = frozenset({Reason.CORRUPT, Reason.INCOMPLETE, Reason.NOT_AN_ARCHIVE})
"""Reasons that are about the file, not about the tools that prove it."""
ProveFile = Callable[[Archive], ArchiveProof]
"""Proves an archive on disk.  Raises JobFailed if it is damaged."""


@dataclass(frozen=True)
class FetchedFile:
    """An archive, or the needed columns of one, on disk and proved."""

    path: Path
    format: Format
    size: int
    """Bytes of the archive."""
    present: int
    """Bytes of it that are in the file."""
    proved_by: str
    url: str
    """Where it came from; '' if unknown."""
    identified: bool
    """Whether the locator confirmed that this is the archive of the run."""
    is_new: bool
    """Whether it was fetched now."""


def fetch_into(
    directory: Path, wish: Wish, obtainer: Obtainer, prove: ProveFile, log: Callable[[str], None]
) -> FetchedFile:
    """Return the archive of a run below `directory`, fetched unless it is there already, and proved in any case.

    Raises JobFailed with the reason why there is none; OSError if the directory cannot be written; Cancelled.
    """
    folder = directory / wish.run
    is_new_folder = not folder.exists()
    make_shared(folder)
    lock = folder / f".{wish.run}.lock"
    try:
        with lock_of_run(lock, log):
            try:
                present = present_file(folder, wish, prove, log)
                return present or fetch_new(folder, wish, obtainer)
            finally:
                remove_if_empty(folder / ".fetching", wish)
                lock.unlink(missing_ok=True)
    finally:
        if is_new_folder:
            with contextlib.suppress(OSError):  # there is something in it
                folder.rmdir()


def lock_of_run(path: Path, log: Callable[[str], None]) -> IO[bytes]:
    """Lock the directory of a run; wait for as long as another process fetches into it.  Raises OSError."""
    while True:
        try:
            return exclusive_file(path)
        except TimeoutError:
            log(f"another process is fetching into {path.parent}; waiting for it")


def present_file(folder: Path, wish: Wish, prove: ProveFile, log: Callable[[str], None]) -> FetchedFile | None:
    """Return the archive that the directory has, proved; None if it has none.

    A damaged one that `wort fetch` wrote is removed; for any other, JobFailed is raised.
    """
    candidates = (
        found for found in find_in_folder(wish.run, folder, log) if not (wish.whole and has_only_columns(found.path))
    )
    found = choose(candidates, wish.quality)
    if found is None:
        return None
    record = read_record(found.path)
    size = found.path.stat().st_size
    try:
        proof = prove(Archive(str(found.path), found.path, 0, 0, size, found.format))
    except JobFailed as error:
        if error.failure.reason not in DAMAGE:
            raise
        if record is None or not is_ours(found.path):
            detail = f"{error}; {found.path} was not fetched by this user: remove it"
            raise JobFailed(error.failure.reason, detail) from error
        log(f"{error}; fetching it again")
        found.path.unlink()
        record_path(found.path).unlink()
        return None
    present = sum(extent.size for extent in record.extents) if record else size
    origin = proof.origin
    return FetchedFile(
        found.path, found.format, size, present, proof.recorded_as, origin.url, origin.identified, is_new=False
    )


def fetch_new(folder: Path, wish: Wish, obtainer: Obtainer) -> FetchedFile:
    """Fetch the archive into the directory and write its record."""
    obtained = obtainer.obtain(wish, folder / ".fetching")
    with obtained.path.open("rb") as file:
        read = reader_of(file)
        format = format_inside(obtained.size, read) or obtained.format
        try:
            skipped = read_contents(obtained.size, read, wish.decoder).selection.skipped
        except NotProvable:
            skipped = ()
    if format not in ALLOWED[wish.quality]:
        raise JobFailed(Reason.WRONG_FORMAT, f"{host_of(obtained.proof.url)} has a {format} archive")
    record = record_of(obtained, wish, format, skipped)
    ending = ENDINGS[format] + ("" if record.is_whole else COLUMNS)
    path = folder / f"{wish.run}{ending}"
    obtained.path.chmod(FILE_MODE)
    write_record(path, record)
    obtained.path.replace(path)
    sync_directory(folder)
    shutil.rmtree(folder / ".fetching")
    if record.is_whole:
        remove_columns(path)
    present = sum(extent.size for extent in record.extents)
    return FetchedFile(path, format, record.size, present, record.proved_by, record.url, record.identified, is_new=True)


def remove_columns(archive: Path) -> None:
    """Remove the file that has only columns of a whole archive beside it, if `wort fetch`ed that file."""
    columns = archive.with_name(archive.name + COLUMNS)
    if read_record(columns) is not None:
        columns.unlink()
        record_path(columns).unlink()


def record_of(obtained: Obtained, wish: Wish, format: Format, skipped: tuple[str, ...]) -> FetchRecord:
    """Return the record of an archive that was obtained."""
    extents = extents_in_map(obtained.path)
    is_whole = extents == (Extent(0, obtained.size),)
    proof = obtained.proof
    return FetchRecord(
        run=wish.run,
        format=format,
        size=obtained.size,
        md5=obtained.md5,
        url=url_without_query(proof.url),
        identified=proof.identified,
        proved_by=proof.by,
        file_proof=file_md5(obtained.path) if is_whole else proof.sums,
        extents=extents,
        skipped=() if is_whole else skipped,
        fetched_at=round(time.time(), 3),
        version=wort_cli.__version__,
    )


def remove_if_empty(directory: Path, wish: Wish) -> None:
    """Remove the directory of a fetch of which nothing has arrived."""
    if directory.is_dir() and not extents_in_map(directory / f"{wish.run}.sra"):
        shutil.rmtree(directory)


def sync_directory(path: Path) -> None:
    """Have the names in a directory on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
