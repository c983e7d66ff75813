"""Records of `wort compute -n`: where the archives of runs are, and what would be fetched of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from wort_cli.commands.shared.showing import render
from wort_cli.errors import cause_of
from wort_cli.model.accession import Accession, AssemblyAccession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job import Source
from wort_cli.pipeline.archives.archive_format import format_of
from wort_cli.pipeline.archives.column_proof import why_not_provable
from wort_cli.pipeline.archives.locate import TOOLKIT
from wort_cli.pipeline.assemblies.plan import PlannedAssembly, plan_assembly
from wort_cli.pipeline.fetch_plan import PlannedArchive, Planner
from wort_cli.settings import Settings


def record_of(archive: PlannedArchive) -> dict[str, Any]:
    """Return what `wort compute -n` prints of an archive."""
    return {
        "format": str(archive.format),
        "fetch": archive.fetched,
        "archive_size": archive.size,
        "archive": archive.place,
        "message": None,
    }


def assembly_record(found: PlannedAssembly) -> dict[str, Any]:
    """Return what it prints of an assembly."""
    sizes = {"fetch": found.size, "archive_size": found.size}
    return {"format": None, **sizes, "archive": found.url, "message": found.doubt or None}


def unknown(why: str) -> dict[str, Any]:
    """Return what it prints of a run whose archive is not known."""
    return {"format": None, "fetch": None, "archive_size": None, "archive": None, "message": why or None}


def plan_records(sources: Sequence[Source], settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield what is known of the archive of each source; the locator may be asked."""
    with Planner(settings) as planner:
        for source in sources:
            try:
                yield plan_record(source, settings, planner)
            except (JobFailed, OSError) as error:  # a TimeoutError is an OSError
                reason = f"{error.failure.reason}: " if isinstance(error, JobFailed) else ""
                yield unknown(render.printable(f"{reason}{cause_of(error)}"))


def plan_record(source: Source, settings: Settings, planner: Planner) -> dict[str, Any]:
    """Return what is known of the archive of a source."""
    if source.reads is not None:
        known = len(source.reads.paths) == len(source.reads.inputs)
        size = sum(path.stat().st_size for path in source.reads.paths) if known else None
        return {"format": None, "fetch": 0, "archive_size": size, "archive": str(source.reads), "message": None}
    if source.archive is not None:
        size = source.archive.stat().st_size
        archive = PlannedArchive(format_of(source.archive), size, 0, str(source.archive))
        return {**record_of(archive), "message": doubt_about(source.archive, source, settings)}
    if isinstance(source.name, AssemblyAccession):
        return assembly_record(plan_assembly(source.name, settings))
    return run_record(source.name, source, settings, planner) if isinstance(source.name, Accession) else unknown("")


def run_record(run: Accession, source: Source, settings: Settings, planner: Planner) -> dict[str, Any]:
    """Return what is known of the archive of a run."""
    if on_disk := planner.on_disk(run):
        return {**record_of(on_disk), "message": doubt_about(Path(on_disk.place), source, settings)}
    if settings.download == TOOLKIT:
        return unknown("streamed by the SRA toolkit")
    return record_of(planner.to_fetch(run))


def doubt_about(archive: Path, source: Source, settings: Settings) -> str | None:
    """Return why an archive on disk may be refused, or its signature be marked; None if its own sums can prove it."""
    why = why_not_provable(archive)
    if not why:
        return None
    asks = not source.is_local and settings.download != TOOLKIT and settings.locator_url != "off"
    end = "the signature will be marked as unproved" if settings.accept_unproved else str(Reason.UNPROVABLE)
    return render.printable(f"{end}{', unless the locator has its md5' if asks else ''}: {why}")
