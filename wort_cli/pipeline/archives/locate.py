"""Finds the reads of a source: an archive on disk, or a run that the toolkit reads from the network.

Looked at in turn: the archive that was named; the directories of the setting `archives`; where the user's SRA
configuration has runs on disk; what it finds elsewhere (the tools know it, for they get our environment).  Only then is
NCBI asked, and only when it is this job's turn.
"""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.toolkit.tool_errors import explain
from wort_cli.pipeline.toolkit.tools import LOG_INFO, ToolGroup, ToolRun
from wort_cli.system.cancellation import Cancellation
from wort_cli.system.rate_limit import NCBI, RateLimit

SUFFIXES = (".sra", ".sralite", ".csra", ".kar")
MAGIC = b"NCBI.sra"
COUNTS = re.compile(r'^<Run .*" spot_count="(\d+)" base_count="(\d+)"', re.MULTILINE)
SIZE = re.compile(r'^\s*<Size value="(\d+)"', re.MULTILINE)
OFFLINE = Path(__file__).with_name("offline")
"""A configuration by which the toolkit asks nobody."""


@dataclass(frozen=True)
class Archive:
    """An archive whose reads can be decoded."""

    argument: str
    """What the tools are given: an absolute path, or an accession."""
    path: Path | None
    """Of an archive on disk; None if the toolkit reads it from the network."""
    spots: int
    """Its own count of spots."""
    bases: int
    """Its own count of bases, of which the filters may take some away."""
    size: int
    """Bytes."""


def locate_archive(spec: JobSpec, tools: ToolGroup) -> Archive:
    """The archive of a job's source, found within `resolve_timeout`; JobFailed says why there is none."""
    deadline = time.monotonic() + spec.time_limits.resolve_timeout
    path = spec.source.archive or find_in_directories(spec.source.name, spec.archives)
    try:
        path = path or find_on_disk(spec.source.name, tools, deadline)
        if path is None:
            wait_for_ncbi(spec, tools.cancellation)
            path = find_by_toolkit(spec.source.name, tools, deadline)
        if path is not None:
            check_is_archive(path)
        argument = str(path or spec.source.name)
        spots, bases, size = read_counts(argument, tools, deadline, on_disk=path is not None)
    except TimeoutError:
        raise JobFailed(
            Reason.NETWORK, f"{spec.source.name} was not found within {spec.time_limits.resolve_timeout:g} seconds"
        ) from None
    return Archive(argument, path, spots, bases, path.stat().st_size if path else size)


def ncbi_rate_limit(spec: JobSpec) -> RateLimit | None:
    """The requests to NCBI that runs which are not on disk need."""
    return (
        RateLimit(spec.request_rate.rates_dir, NCBI, spec.request_rate.request_interval)
        if spec.request_rate.rates_dir
        else None
    )


def wait_for_ncbi(spec: JobSpec, cancellation: Cancellation) -> None:
    """Wait until it is this job's turn to ask for a run and read it; JobFailed(rate-limited) in a pause.

    A run on disk does not get here, so that it waits for nobody.
    """
    rate = ncbi_rate_limit(spec)
    if rate is None:
        return
    if held := rate.paused_for():
        raise JobFailed(Reason.RATE_LIMITED, f"NCBI asked for fewer requests; {held:.0f} seconds of a pause are left")
    rate.wait_turn(cancellation)


def pause_if_rate_limited(spec: JobSpec, reason: Reason) -> None:
    """Have all jobs that need NCBI hold back, if this one was told to."""
    rate = ncbi_rate_limit(spec)
    if rate is not None and reason is Reason.RATE_LIMITED and not rate.paused_for():
        rate.pause(spec.request_rate.request_pause)


def find_in_directories(name: str, directories: tuple[Path, ...]) -> Path | None:
    """The archive of a run in directories laid out as prefetch does, or flat."""
    for directory in directories:
        for suffix in SUFFIXES:
            for path in (directory / name / f"{name}{suffix}", directory / f"{name}{suffix}"):
                if path.is_file():
                    return path
    return None


def find_on_disk(name: str, tools: ToolGroup, deadline: float) -> Path | None:
    """Where the user's SRA configuration has a run on disk; None if it has not.  Nobody is asked.

    VDB_CONFIG takes the place of what the system configures, not of the user's own settings, so that it may happen that
    only `find_by_toolkit` finds a run that is on disk.
    """
    configurations = filter(None, (str(OFFLINE), os.environ.get("VDB_CONFIG", "")))
    located = tools.run(["srapath", name], deadline - time.monotonic(), {"VDB_CONFIG": ":".join(configurations)})
    return path_from_srapath(located)


def path_from_srapath(located: ToolRun) -> Path | None:
    """The path that srapath gave, if it is one."""
    path = Path(located.stdout.strip())
    return path if located.returncode == 0 and path.is_absolute() and path.is_file() else None


def find_by_toolkit(name: str, tools: ToolGroup, deadline: float) -> Path | None:
    """Where the toolkit finds a run on disk; None if it would read it from the network."""
    located = tools.run(["srapath", *LOG_INFO, name], deadline - time.monotonic())
    if located.returncode == 0:
        return path_from_srapath(located)
    # srapath says nothing of why; the decoder does.
    first_spot = tools.run(["fastq-dump", *LOG_INFO, "-X", "1", "-Z", name], deadline - time.monotonic())
    if first_spot.returncode == 0:
        return None
    raise JobFailed(*explain_run(first_spot))


def explain_run(run: ToolRun) -> tuple[Reason, str]:
    """The reason and the detail of a failed tool."""
    failure = explain(run.argv[0], run.returncode, run.stderr)
    return failure.reason, failure.detail


def check_is_archive(path: Path) -> None:
    """JobFailed if a file is gone, unreadable or no SRA archive at all."""
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise JobFailed(Reason.NOT_FOUND, f"{path}: {error.strerror}") from error
    if start != MAGIC:
        raise JobFailed(Reason.NOT_AN_ARCHIVE, f"{path} does not begin as an SRA archive does")
    if "%" in str(path):
        raise JobFailed(Reason.NOT_AN_ARCHIVE, f"the SRA toolkit can't open a path with '%': {path}; rename it")


def read_counts(argument: str, tools: ToolGroup, deadline: float, *, on_disk: bool) -> tuple[int, int, int]:
    """The spots, bases and bytes of an archive, by its own count (sra-stat(1)).

    Its XML is not parsed as such, for it holds the path of the archive as it is, quotes and all.
    """
    telling = () if on_disk else LOG_INFO
    run = tools.run(["sra-stat", *telling, "--quick", "--xml", argument], deadline - time.monotonic())
    counts = COUNTS.search(run.stdout)
    if counts is None:
        reason, detail = explain_run(run)
        if on_disk and run.returncode > 0:  # a file that can't be opened is not going to mend itself
            raise JobFailed(Reason.INCOMPLETE, detail, lasting=True)
        raise JobFailed(reason, detail)
    size = SIZE.search(run.stdout)
    return int(counts[1]), int(counts[2]), int(size[1]) if size else 0
