"""Locates the archive of a run: a file on disk, or a run that the toolkit reads from the network.

These places are tried in order:

1. the archive that the user named;
2. the directories of the setting `archives`;
3. the files that the user's SRA configuration has on disk (no request is made).

Among several archives of a run the setting `quality` chooses (on_disk.py).  A run that is in none of them is downloaded
(download.py), or, with `download = toolkit`, streamed by the toolkit, which finds it with the user's configuration and
may ask NCBI.  That waits for this job's turn in the shared rate limit.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from wort_cli.model.archive_format import ALLOWED
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.archive_format import format_of
from wort_cli.pipeline.archives.column_blobs import Rows
from wort_cli.pipeline.archives.counts import explain_run, read_counts
from wort_cli.pipeline.archives.obtain import Obtained
from wort_cli.pipeline.archives.on_disk import FoundArchive, choose, find_in_directories, look_at, why_unusable
from wort_cli.pipeline.archives.reference_store import Reference
from wort_cli.pipeline.archives.repositories import find_repositories
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.toolkit.tools import LOG_INFO, ToolGroup, ToolRun
from wort_cli.system.cancellation import Cancellation
from wort_cli.system.network_disks import check_answers
from wort_cli.system.rate_limit import NCBI, RateLimit

TOOLKIT = "toolkit"


@dataclass(frozen=True)
class Archive:
    """An archive whose reads can be decoded."""

    argument: str
    """The argument that the tools get: an absolute path, or an accession."""
    path: Path | None
    """The file; None if the toolkit reads the run from the network."""
    spots: int
    """The number of spots that the archive reports."""
    bases: int
    """The number of bases that the archive reports, before filters and clips."""
    size: int
    """Bytes."""
    format: str = ""
    """A value of Format; empty if the toolkit reads the run from the network and chose it."""
    references: tuple[Reference, ...] = ()
    """The sequences outside of the archive that its aligned reads refer to."""
    is_unlisted: bool = False
    """Whether `references` are listed only when the archive was proved (dependencies.py)."""
    reference_sums: Mapping[str, str] = field(default_factory=dict)
    """The md5 of each file of references, by its name."""
    streams_references: bool = False
    """Whether the toolkit reads some references from the network."""
    proves_references: bool = True
    """Whether every reference matched md5 sums, those of the locator or its own."""
    fetched: "FetchedParts | None" = None
    """The parts that were fetched; None if it is a file of the user's, or streamed by the toolkit."""

    @property
    def is_on_disk(self) -> bool:
        """Whether the archive can be decoded without any request."""
        return self.path is not None and not self.streams_references

    @property
    def arrival(self) -> "Arrival | None":
        """The progress of the download, if the archive may be read before it is complete."""
        return self.fetched.arrival if self.fetched else None


class Arrival(Protocol):
    """The state of an archive that is read while it is downloaded."""

    @property
    def is_proved(self) -> bool:
        """Whether all of it has arrived, and what was read of it meanwhile was right."""

    def has(self, rows: Rows) -> bool:
        """Return whether some rows have arrived.  Raises JobFailed if the download has failed."""

    def wait(self) -> bool:
        """Wait until the download has ended, and return True.  Raises JobFailed if it has failed."""


@dataclass(frozen=True)
class FetchedParts:
    """An archive that was downloaded and proved; it has holes where columns are not needed."""

    obtained: Obtained
    ensure: Callable[[str], None]
    """Fetches the columns that another decoder needs too."""
    arrival: Arrival | None = None
    """The download of an archive that is still arriving; it is proved when that has ended."""


def locate_archive(spec: JobSpec, tools: ToolGroup) -> Archive | None:
    """Return the archive of a job's source, located within `resolve_timeout`; None if it must be downloaded.

    Raises JobFailed if there is none, if it is not an SRA archive, or if its spots cannot be counted.
    """
    deadline = time.monotonic() + spec.time_limits.resolve_timeout
    try:
        found = (
            usable_archive(spec.source.archive, spec) if spec.source.archive else find_on_disk(spec, tools, deadline)
        )
        if found is None and spec.download.download != TOOLKIT:
            return None
        if found is None:
            wait_for_ncbi(spec, tools.cancellation)
            path = find_by_toolkit(spec.source.name, tools, deadline)
            found = usable_archive(path, spec) if path else None
        argument = str(found.path if found else spec.source.name)
        later = spec.method.decodes_in_process
        counts = read_counts(argument, tools, deadline, on_disk=found is not None, lists_later=later)
    except TimeoutError:
        raise JobFailed(
            Reason.NETWORK, f"{spec.source.name} was not found within {spec.time_limits.resolve_timeout:g} seconds"
        ) from None
    if found is None:
        return Archive(argument, None, counts.spots, counts.bases, counts.size)
    size = found.path.stat().st_size
    references, later = counts.references, counts.is_unlisted
    return Archive(argument, found.path, counts.spots, counts.bases, size, found.format, references, later)


# Politeness ----------------------------------------------------------------------------------------------------------


def ncbi_rate_limit(spec: JobSpec) -> RateLimit | None:
    """Return the limit on requests to NCBI that all processes share; None if there is no limit."""
    return (
        RateLimit(spec.request_rate.rates_dir, NCBI, spec.request_rate.request_interval)
        if spec.request_rate.rates_dir
        else None
    )


def wait_for_ncbi(spec: JobSpec, cancellation: Cancellation) -> None:
    """Wait for this job's turn to ask NCBI; raise JobFailed(rate-limited) while requests are paused."""
    rate = ncbi_rate_limit(spec)
    if rate is None:
        return
    if seconds := rate.paused_for():
        raise JobFailed(Reason.RATE_LIMITED, f"NCBI asked for fewer requests; they are paused for {seconds:.0f} s")
    rate.wait_turn(cancellation)


def pause_if_rate_limited(spec: JobSpec, reason: Reason) -> None:
    """Pause the requests of all jobs to NCBI if this one failed because it was rate-limited."""
    rate = ncbi_rate_limit(spec)
    if rate is not None and reason is Reason.RATE_LIMITED and not rate.paused_for():
        rate.pause(spec.request_rate.request_pause)


# Places --------------------------------------------------------------------------------------------------------------


def usable_archive(path: Path, spec: JobSpec) -> FoundArchive:
    """Return the archive at a path that the user or the toolkit named.

    Raises JobFailed if it cannot be used, or if it has a format that the setting `quality` does not allow.
    """
    check_answers([path])
    check_is_archive(path)
    found = FoundArchive(path, format_of(path))
    quality = spec.download.quality
    if not spec.source.is_local and found.format not in ALLOWED[quality]:
        raise JobFailed(
            Reason.WRONG_FORMAT, f"{path} is in the {found.format} format, but the setting `quality` is {quality}"
        )
    return found


def find_on_disk(spec: JobSpec, tools: ToolGroup, deadline: float) -> FoundArchive | None:
    """Return the archive of a run that the settings and the user's SRA configuration have on disk; None if none does.

    No request is made.  Raises JobFailed if a file has the name of the archive but is none, and there is nothing else.
    """
    passed_over: list[str] = []

    def log(text: str) -> None:
        passed_over.append(text)
        tools.log(text)

    download = spec.download
    found = choose(archives_on_disk(spec.source.name, spec.archives, tools, deadline, log), download.quality)
    if found:
        check_is_archive(found.path)
    elif passed_over and download.download != TOOLKIT and download.locator_url == "off" and not download.mirrors:
        raise JobFailed(Reason.NOT_AN_ARCHIVE, passed_over[0])
    return found


def archives_on_disk(
    run: str, directories: Sequence[Path], tools: ToolGroup, deadline: float, log: Callable[[str], None]
) -> Iterator[FoundArchive]:
    """Yield the archives of a run on disk in the order of the places above; `log` gets what is skipped."""
    yield from find_in_directories(run, directories, log)
    repositories = find_repositories(tools, deadline)
    path = find_by_srapath(run, tools, deadline) if repositories.needs_srapath and shutil.which("srapath") else None
    if path and (found := look_at(path, log)):
        yield found
    yield from find_in_directories(run, repositories.directories, log)


def find_by_srapath(name: str, tools: ToolGroup, deadline: float) -> Path | None:
    """Return the archive that srapath finds on disk; None if there is none.  No request is made."""
    return printed_path(tools.run(["srapath", name], deadline - time.monotonic(), offline=True))


def find_by_toolkit(name: str, tools: ToolGroup, deadline: float) -> Path | None:
    """Return the archive that the toolkit finds on disk; None if it reads the run from the network.

    Raises JobFailed if the toolkit cannot open the run.
    """
    srapath = tools.run(["srapath", *LOG_INFO, name], deadline - time.monotonic())
    if srapath.returncode == 0:
        return printed_path(srapath)
    # srapath does not report why it failed; fastq-dump does.
    first_spot = tools.run(["fastq-dump", *LOG_INFO, "-X", "1", "-Z", name], deadline - time.monotonic())
    if first_spot.returncode == 0:
        return None
    failure = explain_run(first_spot)
    raise JobFailed(failure.reason, failure.detail)


def printed_path(srapath: ToolRun) -> Path | None:
    """Return the path that srapath printed; None if it failed or printed something else, like a URL."""
    path = Path(srapath.stdout.strip())
    return path if srapath.returncode == 0 and path.is_absolute() and path.is_file() else None


# The file ------------------------------------------------------------------------------------------------------------


def check_is_archive(path: Path) -> None:
    """Raise JobFailed if a file cannot be read, is not an SRA archive, or has a path that the toolkit cannot open."""
    try:
        why = why_unusable(path)
    except OSError as error:
        raise JobFailed(Reason.NOT_FOUND, f"{path}: {error.strerror}") from error
    if why:
        raise JobFailed(Reason.NOT_AN_ARCHIVE, f"{path}: {why}")
    if "%" in str(path):
        raise JobFailed(Reason.NOT_AN_ARCHIVE, f"the SRA toolkit cannot open a path with '%': {path}; rename it")
