"""Sketches an assembly: finds it, fetches its file, proves that by the md5 that NCBI lists, and sketches its sequences.

The file is read as files of reads are (reads/sketch_files.py); its md5 is compared again with the bytes that were read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from wort_cli.model.accession import AssemblyAccession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job import Source
from wort_cli.model.provenance import MD5_LIST, UNPROVED
from wort_cli.model.read_files import ReadFiles
from wort_cli.pipeline.archives.http import HttpClient, Timeouts, url_without_query
from wort_cli.pipeline.assemblies.fetch import AssemblyFile
from wort_cli.pipeline.assemblies.locate import AssemblyLocator, LocatedAssembly
from wort_cli.pipeline.assemblies.requests import Requests
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.download import SILENCE, politeness_of
from wort_cli.pipeline.reads.sketch_files import SketchedFiles, sketch_files
from wort_cli.pipeline.resources import reserve_disk

LONGEST = 86_400.0
"""Seconds that one request for a file of sequences may take."""


@dataclass(frozen=True)
class ProvedAssembly:
    """An assembly whose file is in the workspace; `is_proved`: it has the md5 that NCBI lists."""

    located: LocatedAssembly
    source: ReadFiles
    is_proved: bool


def sketch_assembly(attempt: Attempt) -> SketchedFiles:
    """Fetch and prove the assembly of the job, and sketch its sequences.

    Raises JobFailed with the reason why that is impossible, or why it has to wait.
    """
    proved = obtain_assembly(attempt)
    spec, located = attempt.spec, proved.located
    source = replace(spec, source=Source(spec.source.name, reads=proved.source))
    run = sketch_files(attempt.variant(source, attempt.workspace))
    [file] = run.files
    if proved.is_proved and file.md5 != located.md5:
        raise JobFailed(Reason.INCOMPLETE, f"{located.file_name} was changed while it was read")
    return replace(run, files=(replace(file, path=url_without_query(located.url), mtime=0.0),), facts=facts_of(proved))


def obtain_assembly(attempt: Attempt) -> ProvedAssembly:
    """Find the assembly of the job, fetch its file into the workspace, and prove it."""
    spec, name = attempt.spec, attempt.spec.source.name
    if not isinstance(name, AssemblyAccession):
        raise JobFailed(Reason.NOT_FOUND, f"{name} is not the accession of an assembly")
    if spec.download.genomes_url == "off":
        raise JobFailed(Reason.NOT_ASKED, "the setting `genomes_url` is off")
    attempt.report("locating")
    with requests_of(attempt) as requests:
        located = AssemblyLocator(requests, spec.download.genomes_url, attempt.log).locate(name)
        attempt.log(f"{located.title}: {located.url}")
        check_has_sum(located, accepts=spec.download.accept_unproved)
        file = AssemblyFile(
            attempt.workspace.archive_directory,
            requests,
            lambda done, total: attempt.report("fetching", done, total),
            lambda size: reserve_disk(size, spec, attempt.workspace),
        )
        fetch_proved(file, located, attempt)
    return ProvedAssembly(located, ReadFiles((str(file.path),), located.file_name), bool(located.md5))


def check_has_sum(located: LocatedAssembly, *, accepts: bool) -> None:
    """Raise JobFailed(unprovable) if NCBI has no md5 of a file, unless the user accepts that."""
    if not located.md5 and not accepts:
        raise JobFailed(Reason.UNPROVABLE, f"md5checksums.txt has no md5 of {located.file_name}")


def fetch_proved(file: AssemblyFile, located: LocatedAssembly, attempt: Attempt) -> None:
    """Fetch a file until it has the md5 that NCBI lists; a file with another one is fetched once more, from its start.

    Raises JobFailed(corrupt) if it has another one then too.
    """
    found = ""
    for _ in range(2):
        file.fetch(located.url)
        attempt.report("proving")
        if not located.md5 or (found := file.md5(attempt.cancellation)) == located.md5:
            return
        attempt.log(f"{located.file_name} has md5 {found}, and not {located.md5}")
        file.remove()
    why = f"{url_without_query(located.url)} has md5 {found}; md5checksums.txt lists {located.md5}"
    raise JobFailed(Reason.CORRUPT, why)


@contextmanager
def requests_of(attempt: Attempt) -> Iterator[Requests]:
    """Yield a client of NCBI with the limits of the settings."""
    spec = attempt.spec
    stall = spec.time_limits.stall_timeout
    timeouts = Timeouts(connect=min(10.0, stall), silence=min(SILENCE, stall), total=LONGEST)
    politeness = replace(politeness_of(spec), interval=spec.request_rate.request_interval)
    with HttpClient(timeouts, spec.download.connections, politeness) as client:
        yield Requests(client, attempt.cancellation)


def facts_of(proved: ProvedAssembly) -> dict[str, object]:
    """Return what the provenance says of an assembly, in place of what it says of files of reads."""
    located = proved.located
    url = url_without_query(located.url)
    return {
        "source": "remote",
        "source_mtime": 0.0,
        "url": url,
        "identified": True,
        "proved_by": MD5_LIST if proved.is_proved else UNPROVED,
        "proof": located.md5,
        "argv": ("curl", url),
        "title": located.title,
        "assembly": dict(located.facts),
    }
