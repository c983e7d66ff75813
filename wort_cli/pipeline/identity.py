"""Identifies an archive on disk: whether it is the one that NCBI's locator lists for the run, or is so by name alone.

A file is found because of its name, and its sums prove only that it is undamaged.  So the locator is asked while the
reads are sketched, and its size and md5 are compared with the file.  If it cannot be queried, or lists another
archive, the identity is the name; that is recorded, and is no failure: the user may have an archive of an earlier date.
"""

import time

from wort_cli.model.accession import Accession
from wort_cli.pipeline.archives.archive_names import run_named_by
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.http import HttpClient, HttpError, Timeouts
from wort_cli.pipeline.archives.locate import TOOLKIT, Archive
from wort_cli.pipeline.archives.locator import RunFile
from wort_cli.pipeline.archives.offer import ask_locator
from wort_cli.pipeline.archives.prove import VDB_VALIDATE, ArchiveProof, Origin, listed_md5
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.download import politeness_of, wish_of
from wort_cli.system.cancellation import Cancellation

TIMEOUTS = Timeouts(connect=5.0, silence=5.0, total=10.0)
SILENT_FOR = 300.0
"""Seconds for which a locator that did not answer is not asked again by this process."""

failed_at: dict[str, float] = {}
"""When a locator did not answer, by URL; a monotonic time."""


def identify(archive: Archive, proof: ArchiveProof, attempt: Attempt, cancellation: Cancellation) -> Origin:
    """Return where an archive is from: what its record says, else what the locator says about a file on disk.

    Raises Cancelled, or OSError if the file cannot be read.
    """
    spec = attempt.spec
    name, download = spec.source.name, spec.download
    if archive.path is None or archive.fetched is not None or run_named_by(archive.path.name) != name:
        return Origin()
    was_asked = proof.origin.identified or proof.proved_by == VDB_VALIDATE  # known_md5.py has asked
    may_ask = download.download != TOOLKIT and download.locator_url != "off"
    if was_asked or not may_ask or not isinstance(name, Accession):
        return proof.origin
    if time.monotonic() - failed_at.get(download.locator_url, -SILENT_FOR) < SILENT_FOR:
        attempt.log("the identity of the archive is its name: the locator did not answer lately")
        return proof.origin
    try:
        with HttpClient(TIMEOUTS, download.connections, politeness_of(spec)) as client:
            files = ask_locator(wish_of(spec, name, FASTQ_DUMP), client, politeness_of(spec), cancellation)
    except HttpError as error:
        failed_at[download.locator_url] = time.monotonic()
        attempt.log(f"the identity of the archive is its name: {error.detail}")
        return proof.origin
    if md5 := listed_md5(files, archive.path, archive.size, cancellation):
        return Origin(identified=True, url=proof.origin.url, md5=md5)
    attempt.log(f"the identity of the archive is its name: the locator lists {described(files)}")
    return proof.origin


def described(files: tuple[RunFile, ...]) -> str:
    """Return what the locator lists, for the log."""
    return (
        ", ".join(f"{file.format} of {file.size:,} bytes, md5 {file.md5 or 'unknown'}" for file in files) or "nothing"
    )
