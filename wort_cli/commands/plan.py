"""`wort plan`: splits a list of runs into lists for the tasks of a batch system."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from wort_cli.commands.shared.arguments.expansion import Expander
from wort_cli.commands.shared.arguments.options import (
    BasesPerTaskOption,
    FromFileOption,
    JsonOption,
    NoHeaderOption,
    SkipInvalidOption,
    TasksOption,
)
from wort_cli.commands.shared.arguments.selection import open_home_to_read
from wort_cli.commands.shared.arguments.sources import parse_sources
from wort_cli.commands.shared.batch.task_files import (
    bases_of,
    check_division,
    check_new,
    divided,
    entry_of,
    explain_division,
    list_files,
    list_name,
    write_new,
)
from wort_cli.commands.shared.jobs import outcome
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BASES, COUNT, PATH, Document, Field
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.errors import ExitCode
from wort_cli.settings import load_settings

DOCUMENT = Document(
    "plan",
    "Lists of runs, one for each task of a batch system.",
    head=(
        Field("runs", COUNT, "The number of runs"),
        Field("unknown", COUNT, "Runs whose length is not known, which count as the mean of the others"),
    ),
    rows="tasks",
    row=(
        Field("task", COUNT, "The number of the task, from 1"),
        Field("runs", COUNT, "The number of its runs"),
        Field("bases", BASES, "The length of those of its runs whose length is known", optional=True),
        Field("path", PATH, "Its list"),
    ),
    columns=("task", "runs", "bases", "path"),
)


def plan(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|FILE|-", help="Accessions of runs or projects, or archives; - reads a list from standard input."
        ),
    ] = None,
    from_file: FromFileOption = None,
    skip_invalid: SkipInvalidOption = False,
    tasks: TasksOption = None,
    bases_per_task: BasesPerTaskOption = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Write the files into this directory, which is made.")
    ] = Path("tasks"),
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Split a list of runs into lists that take about equally long.

    Each list is for one task of a batch system, which runs `wort compute --from-file DIR/task-N.txt --now`.
    The length of a run is what `wort runs` or `wort metadata import` have learned, what the table says, or what the
    archive on disk says; a run whose length is not known counts as the mean of the others.

    \b
    Examples:
      wort plan --from-file runs.txt --tasks 100 -o tasks
      wort plan PRJNA63463 --bases-per-task 5e10
    """
    check_division(tasks, bases_per_task)
    check_new(output)
    settings = load_settings()
    expander = Expander(settings, render.notice, amounts=True)
    skipped: list[str] = []
    skip = skipped.append if skip_invalid else None
    sources = parse_sources(
        ids or [], from_file, "", settings.quality, settings.archives, render.notice, skip, expander
    )
    outcome.explain_skipped(skipped)
    entries = [entry_of(source) for source in sources]
    _, ledger = open_home_to_read()
    bases = bases_of(sources, expander, ledger)
    lists = divided(bases, tasks, bases_per_task)
    write_new(output, list_files([entries[n] for n in positions] for positions in lists))
    unknown = bases.count(None)
    form = Form.of(as_json=as_json)
    head = {"runs": len(sources), "unknown": unknown}
    print_records(DOCUMENT, records(lists, bases, output), form, header=not no_header, head=head)
    explain_division(len(sources), unknown, len(lists), tasks)
    outcome.exit_unless_ok(outcome.with_skipped(ExitCode.OK, skipped))


def records(lists: Sequence[Sequence[int]], bases: Sequence[int | None], directory: Path) -> Iterator[dict[str, Any]]:
    """Yield what is said of each list, with the keys of DOCUMENT."""
    for number, positions in enumerate(lists, 1):
        known = [length for n in positions if (length := bases[n]) is not None]
        yield {
            "task": number,
            "runs": len(positions),
            "bases": sum(known) if known else None,
            "path": str(directory.absolute() / list_name(number)),
        }
