"""`wort plan`: splits a list of runs into lists for the tasks of a batch system."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from wort_cli.commands.shared.arguments.options import (
    BasesPerTaskOption,
    FromFileOption,
    JsonOption,
    NoHeaderOption,
    SkipInvalidOption,
    SourcesArgument,
    TasksOption,
)
from wort_cli.commands.shared.batch.division import Division, check_division, divide
from wort_cli.commands.shared.batch.task_files import check_new, list_name, write_new
from wort_cli.commands.shared.showing.fields import BASES, COUNT, PATH, Document, Field
from wort_cli.commands.shared.showing.printing import Form, print_records
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
    ids: SourcesArgument = None,
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
    division = divide(ids or [], from_file, load_settings(), tasks, bases_per_task, skip_invalid=skip_invalid)
    write_new(output, division.files())
    head = {"runs": division.runs, "unknown": division.unknown}
    print_records(DOCUMENT, records(division, output), Form.of(as_json=as_json), header=not no_header, head=head)
    division.explain(tasks)
    division.exit_if_skipped()


def records(division: Division, directory: Path) -> Iterator[dict[str, Any]]:
    """Yield each list as a record with the keys of DOCUMENT."""
    for number, positions in enumerate(division.lists, 1):
        known = [length for n in positions if (length := division.bases[n]) is not None]
        yield {
            "task": number,
            "runs": len(positions),
            "bases": sum(known) if known else None,
            "path": str(directory.absolute() / list_name(number)),
        }
