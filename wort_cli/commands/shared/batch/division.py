"""Divides the runs of a command line into lists of about equal length, for `wort plan` and `wort batch`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wort_cli.commands.shared.arguments.expansion import Expander
from wort_cli.commands.shared.arguments.selection import open_ledger_to_read
from wort_cli.commands.shared.arguments.sources import parse_sources
from wort_cli.commands.shared.batch.task_files import list_files
from wort_cli.commands.shared.jobs import outcome
from wort_cli.commands.shared.showing import render
from wort_cli.errors import ExitCode, UsageError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Source
from wort_cli.model.task_lists import number_of_tasks, split
from wort_cli.pipeline.archives.counts import tables_of
from wort_cli.settings import Settings


@dataclass(frozen=True)
class Division:
    """Runs that are divided into a list for each task."""

    entries: Sequence[str]
    """The line of each run in a list."""
    bases: Sequence[int | None]
    """The length of each run; None if it is not known."""
    lists: Sequence[Sequence[int]]
    """The positions of the runs of each list; no list is empty."""
    skipped: Sequence[str] = ()
    """Why words of the command line were left out."""

    @property
    def runs(self) -> int:
        """The number of runs."""
        return len(self.entries)

    @property
    def unknown(self) -> int:
        """The number of runs whose length is not known."""
        return self.bases.count(None)

    def files(self) -> dict[str, str]:
        """Return the lists by the names of their files."""
        return list_files([self.entries[n] for n in positions] for positions in self.lists)

    def explain(self, wanted: int | None) -> None:
        """Write to stderr how many runs are in how many lists, and of how many the length is not known."""
        number = len(self.lists)
        fewer = f"; {wanted:,} were asked for" if wanted is not None and wanted > number else ""
        render.notice(f"{render.count(self.runs, 'run')} in {render.count(number, 'task')}{fewer}")
        if self.unknown and number > 1:
            known = "none" if self.unknown == self.runs else f"{self.runs - self.unknown:,} of {self.runs:,}"
            more = "so the tasks may differ in time: `wort runs` or `wort metadata import`"
            render.notice(f"the length of {known} is known, {more}")

    def exit_if_skipped(self) -> None:
        """Exit with code 1 if words were left out."""
        outcome.exit_unless_ok(outcome.with_skipped(ExitCode.OK, self.skipped))


def divide(
    words: Sequence[str],
    from_file: Path | None,
    settings: Settings,
    tasks: int | None,
    bases_per_task: float | None,
    *,
    skip_invalid: bool,
) -> Division:
    """Return the runs of a command line, divided into `tasks` lists, or into lists of `bases_per_task` bases."""
    expander = Expander(settings, render.notice, amounts=True)
    skipped: list[str] = []
    skip = skipped.append if skip_invalid else None
    sources = parse_sources(words, from_file, "", settings.quality, settings.archives, render.notice, skip, expander)
    outcome.explain_skipped(skipped)
    entries = [entry_of(source) for source in sources]
    bases = bases_of(sources, expander, open_ledger_to_read(settings))
    lists = split(bases, tasks or number_of_tasks(bases, max(1, round(bases_per_task or 1))))
    return Division(entries, bases, lists, skipped)


def check_division(tasks: int | None, bases_per_task: float | None) -> None:
    """Raise UsageError unless one option says how many lists to make."""
    if (tasks is None) == (bases_per_task is None):
        raise UsageError("give either --tasks or --bases-per-task")
    if bases_per_task is not None and not math.isfinite(bases_per_task):
        raise UsageError(f"--bases-per-task: {bases_per_task} is not a number of bases", "such as 5e10")


def entry_of(source: Source) -> str:
    """Return the line of a source in a list; UsageError for one that a line cannot name."""
    if source.reads is not None:
        raise UsageError(
            f"{shown(str(source.reads), 200)} is a file of reads", "plan runs and archives; split samples by hand"
        )
    if source.archive is None:
        return str(source.name)
    path = str(source.archive.absolute())
    if path != path.strip() or not path.isprintable() or " #" in path:
        raise UsageError(f"a line of a list cannot name {shown(path, 200)}", "rename the archive")
    return path


def bases_of(sources: Sequence[Source], expander: Expander, ledger: Ledger) -> list[int | None]:
    """Return the length of each source in bases; None if it is not known."""
    known = expander.bases((str(source.name) for source in sources if source.archive is None), ledger)
    return [known.get(str(source.name)) if source.archive is None else on_disk(source.archive) for source in sources]


def on_disk(archive: Path) -> int | None:
    """Return the length of an archive on disk, in bases, as its metadata have it; None if they do not."""
    tables = tables_of(archive)
    return tables.dumped.bases if tables is not None and tables.dumped is not None else None
