"""Fetches archives with the settings of this home, outside of any job: for `wort fetch`.

download.py does the same for a job, into its workspace.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.units import format_bytes
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.counts import read_counts
from wort_cli.pipeline.archives.fetch_record import has_only_columns, read_record
from wort_cli.pipeline.archives.fetched_file import FetchedFile, fetch_into
from wort_cli.pipeline.archives.http import HttpClient, Timeouts
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.obtain import Obtainer
from wort_cli.pipeline.archives.offer import Wish
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.pipeline.archives.prove import ArchiveProof, prove_archive, prove_fetched_columns
from wort_cli.pipeline.archives.references import ReferenceFetcher
from wort_cli.pipeline.archives.references_beside import is_aligned, put_references_beside
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.settings import Settings
from wort_cli.system.cancellation import NEVER
from wort_cli.system.file_state import FileState
from wort_cli.system.machine import disk_of
from wort_cli.system.seals import load_key
from wort_cli.system.temporary import scratch_directory

CONNECT, SILENCE = 10.0, 30.0
"""Seconds."""
Report = Callable[[str, int, int], None]
"""Gets the stage, the bytes that are done, and the bytes in all; 0 if unknown."""


def wish_of(settings: Settings, run: Accession, *, whole: bool, decoder: str = FASTQ_DUMP) -> Wish:
    """Return what these settings ask for: what a decoder needs; by default, what any does."""
    return Wish(
        run=run,
        decoder=decoder,
        quality=settings.quality,
        whole=whole,
        locator_url="" if settings.locator_url == "off" else settings.locator_url,
        mirrors=settings.mirrors,
        prefer_mirrors=settings.prefer_mirrors,
    )


def timeouts_of(settings: Settings) -> Timeouts:
    """Return the timeouts of requests."""
    stall = settings.stall_timeout
    return Timeouts(connect=min(CONNECT, stall), silence=min(SILENCE, stall), total=stall)


def politeness_of(settings: Settings) -> Politeness:
    """Return the limits on requests that all processes of this home share."""
    return Politeness(settings.rates_dir, settings.connections, pause=settings.request_pause or 60.0)


class Fetcher:
    """Fetches archives into a directory, one after the other."""

    def __init__(self, settings: Settings, directory: Path, *, whole: bool) -> None:
        self._settings = settings
        self._directory = directory
        self._whole = whole
        self._key = load_key(settings.key_file)
        self._client = HttpClient(timeouts_of(settings), settings.connections, politeness_of(settings))

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._client.__exit__(*error)

    def fetch(self, run: Accession, report: Report, log: Callable[[str], None]) -> FetchedFile:
        """Return the archive of a run, proved; fetch it if it is not there.

        Raises JobFailed with the reason why there is none.
        """

        def prove(archive: Archive) -> ArchiveProof:
            report("proving", 0, 0)
            if archive.path is not None and has_only_columns(archive.path):  # that needs no tools
                state = FileState.of(archive.path)
                return prove_fetched_columns(archive.path, read_record(archive.path), state, NEVER)
            with self._tools(log) as tools:
                return prove_archive(archive, tools, self._settings.stall_timeout)

        report("locating", 0, 0)
        politeness = politeness_of(self._settings)
        obtainer = Obtainer(self._client, politeness, NEVER, log, report, self._check_disk, self._key)
        wish = wish_of(self._settings, run, whole=self._whole)
        try:
            fetched = fetch_into(self._directory, wish, obtainer, prove, log)
            if is_aligned(fetched.path, unknown=True):
                self._fetch_references(fetched.path, report, log)
            return fetched
        except OSError as error:
            raise JobFailed(Reason.DISK_ERROR, f"{self._directory}: {error.strerror or error}") from error

    def _fetch_references(self, archive: Path, report: Report, log: Callable[[str], None]) -> None:
        """Put the references of an aligned archive beside it."""
        report("locating", 0, 0)
        with self._tools(log) as tools:
            deadline = time.monotonic() + self._settings.resolve_timeout
            references = read_counts(str(archive), tools, deadline, on_disk=True).references
        fetcher = ReferenceFetcher(
            self._client,
            politeness_of(self._settings),
            "" if self._settings.locator_url == "off" else self._settings.locator_url,
            NEVER,
            log,
            lambda directory, size: self._check_disk(size),
            lambda arrived, wanted: report("fetching", arrived, wanted),
        )
        put_references_beside(archive, references, fetcher, log, self._key)

    @contextlib.contextmanager
    def _tools(self, log: Callable[[str], None]) -> Iterator[ToolGroup]:
        with scratch_directory(self._settings.cache_dir) as empty, ToolGroup(empty, NEVER, log) as tools:
            yield tools

    def _check_disk(self, size: int) -> None:
        """Raise JobFailed(disk-low) unless the disk has room for `size` bytes beside its reserve."""
        disk = disk_of(self._directory)
        reserve = disk.reserve(self._settings.disk_reserve)
        if disk.free - reserve < size:
            raise JobFailed(
                Reason.DISK_LOW,
                f"{format_bytes(size)} are to be fetched; {format_bytes(disk.free)} are free at {disk.path}, "
                f"of which {format_bytes(reserve)} are kept in reserve",
            )
