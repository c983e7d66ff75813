"""Puts the reference sequences of an aligned archive beside it, so that it can be decoded without a network.

    DIR/references/      all references that were fetched into DIR, each once (reference_store.py)
    DIR/ACC/NC_000005.8  a hard link to one of them

wort finds the former (toolkit/configuration.py), and the tools of the SRA toolkit the latter, beside a whole archive.
"""

import contextlib
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.column_proof import NotProvable, read_contents, reader_of
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.reference_store import Reference, ReferenceStore
from wort_cli.pipeline.archives.references import ReferenceFetcher
from wort_cli.pipeline.toolkit.configuration import FETCHED
from wort_cli.system.cancellation import NEVER

NO_LIMIT = 1 << 62
"""Bytes of the store; the user removes what he does not need."""
TABLE = "tbl/REFERENCE/"
FILE_MODE, DIRECTORY_MODE = 0o644, 0o755


def is_aligned(archive: Path, *, unknown: bool) -> bool:
    """Return whether an archive has aligned reads, and a table of references; `unknown` if it cannot be read."""
    with archive.open("rb") as file, contextlib.suppress(NotProvable):
        table = read_contents(archive.stat().st_size, reader_of(file), FASTQ_DUMP).table
        return any(path.startswith(TABLE) for path in table)
    return unknown


def put_references_beside(
    archive: Path, references: tuple[Reference, ...], fetcher: ReferenceFetcher, log: Callable[[str], None], key: bytes
) -> int:
    """Fetch the references that the toolkit does not find on disk; return their number.

    `key` is that of the home, with which their sums are sealed.  Raises JobFailed(reference-missing) with the name of
    one that is unavailable.
    """
    store = ReferenceStore(archive.parents[1] / FETCHED, NO_LIMIT, key)
    files = {reference.file_name: reference for reference in references if reference.path is None}
    for name, reference in files.items():
        if not reference.has_plain_name:
            raise JobFailed(
                Reason.REFERENCE_MISSING, f"{reference.name[:80]!a} is not the name of a reference", lasting=True
            )
        beside = archive.with_name(name)
        with store.held(reference, partial(fetcher.fetch, reference, store), NEVER) as known:
            source = store.path(reference)
            source.chmod(FILE_MODE)
            source.parent.chmod(DIRECTORY_MODE)
            store.root.chmod(DIRECTORY_MODE)
            link_or_copy(source, beside)
        log(f"{beside} is a reference of the run, md5 {known.md5}")
    return len(files)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file another name; copy it if the file system has no hard links."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        unfinished = target.with_name(f"{target.name}.partial")
        shutil.copyfile(source, unfinished)
        unfinished.replace(target)
