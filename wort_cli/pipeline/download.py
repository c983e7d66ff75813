"""Downloads the archive of a run that is not on disk, into the workspace of its job.

Fetched parts stay in the workspace until the job has ended, so that a later attempt continues where this one stopped.
archives/obtain.py has the steps; here they get the settings, the log and the progress of an attempt.
"""

import contextlib
import functools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from wort_cli.model.accession import Accession
from wort_cli.model.archive_format import ALLOWED, Format
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job import Job
from wort_cli.pipeline.archive_cache import ArchiveCache
from wort_cli.pipeline.archives.archive_format import format_inside
from wort_cli.pipeline.archives.column_proof import reader_of
from wort_cli.pipeline.archives.columns import FASTQ_DUMP, VDB
from wort_cli.pipeline.archives.counts import read_counts, tables_of
from wort_cli.pipeline.archives.http import HttpClient, Timeouts, host_of
from wort_cli.pipeline.archives.locate import TOOLKIT, Archive, Arrival, FetchedParts
from wort_cli.pipeline.archives.obtain import Obtained, Obtainer
from wort_cli.pipeline.archives.offer import Wish
from wort_cli.pipeline.archives.on_disk import is_in_directories
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.background_download import Announce, BackgroundDownload
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.resources import reserve_disk
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.settings import Settings
from wort_cli.system.cancellation import Cancellation
from wort_cli.system.network_disks import network_mount

SomeObtainer = TypeVar("SomeObtainer", bound=Obtainer)
SILENCE = 30.0
"""Seconds without a byte after which a request fails."""


def download_archive(attempt: Attempt, tools: ToolGroup, *, early: bool = False) -> Archive:
    """Return the archive of the job's run, fetched as far as a sketch needs it, and proved if that is possible.

    If `early`, it may be returned while the data of its largest column still arrives (background_download.py).  Raises
    JobFailed with the reason why there is none, or why it has to wait.
    """
    spec = attempt.spec
    name = spec.source.name
    if not isinstance(name, Accession):
        raise JobFailed(Reason.NOT_FOUND, f"{name} is not the accession of a run, and there is no archive of that name")
    decoder = VDB if spec.method.decodes_in_process else FASTQ_DUMP
    if ArchiveCache.of(spec).take(name, attempt.workspace.archive_directory):
        attempt.log("an earlier job has left what it fetched of this archive")
    elif spec.keeping.keep_slices:
        from wort_cli.pipeline.unfinished import take_archive

        take_archive(attempt, name)
    if early and decoder == VDB:
        obtained, arrival = obtain_early(attempt, name)
    else:
        obtained, arrival = obtain(attempt, name, decoder), None
    deadline = time.monotonic() + spec.time_limits.resolve_timeout
    later = spec.method.decodes_in_process
    counts = read_counts(str(obtained.path), tools, deadline, on_disk=True, lists_later=later)
    parts = FetchedParts(obtained, ColumnsOnDemand(attempt, name, decoder, arrival).ensure, arrival)
    path, format = obtained.path, format_found(obtained, spec.download.quality)
    size, references = obtained.size, counts.references
    archive = Archive(str(path), path, counts.spots, counts.bases, size, format, references, fetched=parts)
    return replace(archive, is_unlisted=counts.is_unlisted)


def obtain_early(attempt: Attempt, name: Accession) -> tuple[Obtained, Arrival | None]:
    """Return an archive that may be read, and how far its download has come if that has not ended.

    An archive whose reads may need others is returned when it is complete.
    """
    download = BackgroundDownload(functools.partial(obtain, attempt, name, VDB), attempt.cancellation)
    attempt.background.callback(download.stop)
    obtained = download.wait_until_readable()
    tables = tables_of(obtained.path)
    return (obtained, download) if tables and tables.are_plain else (download.result(), None)


def format_found(obtained: Obtained, quality: str) -> Format:
    """Return the format of a downloaded archive, by its content where that decides, else by the locator.

    Raises JobFailed(wrong-format) if a mirror serves an archive of a format that the setting `quality` does not allow.
    """
    with obtained.path.open("rb") as file:
        found = format_inside(obtained.size, reader_of(file)) or obtained.format
    if found not in ALLOWED[quality]:
        raise JobFailed(
            Reason.WRONG_FORMAT, f"{host_of(obtained.proof.url)} has a {found} archive, but `quality` is {quality}"
        )
    return found


def may_need_download(job: Job, settings: Settings) -> bool:
    """Return whether the archive of a job may have to be downloaded, so that it is worth fetching ahead."""
    if job.source.location or settings.download == TOOLKIT:
        return False
    if any(
        network_mount(directory) for directory in settings.archives
    ):  # the daemon does not touch it; the worker does
        return True
    return not is_in_directories(job.name, settings.archives, settings.quality)


def put_away(attempt: Attempt) -> None:
    """Move the downloaded archive of a job that needs it no longer into the cache, or remove it."""
    attempt.workspace.check_current()
    ArchiveCache.of(attempt.spec).keep(attempt.spec.source.name, attempt.workspace.archive_directory)


class ColumnsOnDemand:
    """Fetches the columns that another decoder needs too, once; safe to use from several threads."""

    def __init__(self, attempt: Attempt, name: Accession, decoder: str, arrival: Arrival | None = None) -> None:
        self._attempt = attempt
        self._name = name
        self._arrival = arrival
        self._fetched_for = {decoder}
        self._lock = threading.Lock()

    def ensure(self, decoder: str) -> None:
        """Fetch what a decoder needs.  Raises JobFailed or Cancelled, as `download_archive` does."""
        with self._lock:
            if self._arrival is not None:  # two downloads would write the same file
                self._arrival.wait()
            if decoder not in self._fetched_for:
                obtain(self._attempt, self._name, decoder)
                self._fetched_for.add(decoder)


def obtain(
    attempt: Attempt,
    name: Accession,
    decoder: str,
    announce: Announce = lambda archive: None,
    cancellation: Cancellation | None = None,
) -> Obtained:
    """Fetch and prove an archive with the settings of a job."""
    with obtainer_of(attempt, Obtainer, cancellation or attempt.cancellation, announce) as obtainer:
        return obtainer.obtain(wish_of(attempt.spec, name, decoder), attempt.workspace.archive_directory)


@contextlib.contextmanager
def obtainer_of(
    attempt: Attempt, kind: type[SomeObtainer], cancellation: Cancellation, announce: Announce = lambda archive: None
) -> Iterator[SomeObtainer]:
    """Yield an obtainer with the settings of a job."""
    spec = attempt.spec
    with HttpClient(timeouts_of(spec), spec.download.connections, politeness_of(spec)) as client:
        yield kind(
            client,
            politeness_of(spec),
            cancellation,
            attempt.log,
            attempt.report,
            lambda size: reserve_disk(size, spec, attempt.workspace),
            attempt.workspace.parts_key,
            announce,
        )


def wish_of(spec: JobSpec, name: Accession, decoder: str) -> Wish:
    """Return what the settings of a job ask for."""
    download = spec.download
    return Wish(
        run=name,
        decoder=decoder,
        quality=download.quality,
        whole=download.download == "whole",
        locator_url="" if download.locator_url == "off" else download.locator_url,
        mirrors=download.mirrors,
        prefer_mirrors=download.prefer_mirrors,
    )


def timeouts_of(spec: JobSpec) -> Timeouts:
    """Return the timeouts of requests under the time limits of a job."""
    stall = spec.time_limits.stall_timeout
    return Timeouts(connect=min(10.0, stall), silence=min(SILENCE, stall), total=stall)


def politeness_of(spec: JobSpec) -> Politeness:
    """Return the limits on requests that all processes of this home share."""
    directory = spec.request_rate.rates_dir or spec.workspace / "rates"
    return Politeness(directory, spec.download.connections, pause=spec.request_rate.request_pause or 60.0)
