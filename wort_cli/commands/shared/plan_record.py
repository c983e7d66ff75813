"""What `wort compute -n` says about the archives of runs: where they are, and what would be fetched of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wort_cli.commands.shared import render
from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed
from wort_cli.model.job import Source
from wort_cli.model.units import format_bytes
from wort_cli.pipeline.archives.archive_format import format_of
from wort_cli.pipeline.archives.locate import TOOLKIT
from wort_cli.pipeline.fetch_plan import PlannedArchive, Planner
from wort_cli.settings import Settings


@dataclass(frozen=True)
class PlanRecord:
    """An archive as a table has it, and as `--json` has it."""

    texts: dict[str, Any]
    numbers: dict[str, Any]

    @classmethod
    def of(cls, archive: PlannedArchive) -> "PlanRecord":
        """Return the record of an archive."""
        numbers = {
            "format": str(archive.format),
            "to_fetch": archive.fetched,
            "archive": archive.size,
            "from": archive.place,
        }
        sizes = {"to_fetch": format_bytes(archive.fetched), "archive": format_bytes(archive.size)}
        return cls({**numbers, **sizes}, numbers)

    @classmethod
    def unknown(cls, why: str) -> "PlanRecord":
        """Return the record for a run whose archive is not known."""
        record = {"format": "", "to_fetch": "", "archive": "", "from": why}
        return cls(record, {**record, "to_fetch": None, "archive": None})


def plan_records(sources: Sequence[Source], settings: Settings) -> Iterator[PlanRecord]:
    """Yield what is known of the archive of each source; the locator may be asked."""
    with Planner(settings) as planner:
        for source in sources:
            try:
                yield plan_record(source, settings, planner)
            except (JobFailed, OSError) as error:  # a TimeoutError is an OSError
                reason = f"{error.failure.reason}: " if isinstance(error, JobFailed) else ""
                yield PlanRecord.unknown(render.printable(f"{reason}{error}"))


def plan_record(source: Source, settings: Settings, planner: Planner) -> PlanRecord:
    """Return what is known of the archive of a source."""
    if source.archive is not None:
        size = source.archive.stat().st_size
        return PlanRecord.of(PlannedArchive(format_of(source.archive), size, 0, str(source.archive)))
    if not isinstance(source.name, Accession):
        return PlanRecord.unknown("")
    if found := planner.on_disk(source.name):
        return PlanRecord.of(found)
    if settings.download == TOOLKIT:
        return PlanRecord.unknown("streamed by the SRA toolkit")
    return PlanRecord.of(planner.to_fetch(source.name))
