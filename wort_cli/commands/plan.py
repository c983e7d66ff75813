"""`wort plan`: splits a list of runs into lists for the tasks of a batch system."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from wort_cli.commands.shared.arguments.expansion import Expander
from wort_cli.commands.shared.arguments.options import FromFileOption, JsonOption, NoHeaderOption
from wort_cli.commands.shared.arguments.selection import open_home_to_read
from wort_cli.commands.shared.arguments.sources import parse_sources
from wort_cli.commands.shared.exporting.output import OutputRefused
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BASES, COUNT, PATH, Document, Field
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.errors import StorageProblem, UsageError, cause_of, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Source
from wort_cli.model.task_lists import number_of_tasks, split
from wort_cli.pipeline.archives.counts import tables_of
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
    tasks: Annotated[
        int, typer.Option("--tasks", metavar="N", min=0, max=100_000, help="Make N lists.", show_default=False)
    ] = 0,
    bases_per_task: Annotated[
        float,
        typer.Option("--bases-per-task", metavar="B", min=0, help="Make lists of about B bases, such as 5e10."),
    ] = 0.0,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Write the lists into this directory, which is made.")
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
    if (tasks > 0) == (bases_per_task > 0):
        raise UsageError("give either --tasks or --bases-per-task")
    check_new(output)
    settings = load_settings()
    expander = Expander(settings, render.notice, amounts=True)
    sources = parse_sources(
        ids or [], from_file, "", settings.quality, settings.archives, render.notice, expander=expander
    )
    entries = [entry_of(source) for source in sources]
    _, ledger = open_home_to_read()
    bases = bases_of(sources, expander, ledger)
    lists = split(bases, tasks or number_of_tasks(bases, max(1, round(bases_per_task))))
    write_lists(output, [[entries[n] for n in positions] for positions in lists])
    unknown = bases.count(None)
    form = Form.of(as_json=as_json)
    head = {"runs": len(sources), "unknown": unknown}
    print_records(DOCUMENT, records(lists, bases, output), form, header=not no_header, head=head)
    if unknown:
        render.notice(
            f"the length of {render.count(unknown, 'run')} is not known; `wort runs` or `wort metadata import` learn it"
        )


def check_new(directory: Path) -> None:
    """Raise OutputRefused for a directory that has something, or for another file."""
    if directory.is_symlink() or directory.exists():
        if directory.is_dir() and not directory.is_symlink() and next(directory.iterdir(), None) is None:
            return
        raise OutputRefused(
            f"{shown(str(directory), 200)} exists and is not an empty directory", "choose another one with -o"
        )


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


def write_lists(directory: Path, lists: Sequence[Sequence[str]]) -> None:
    """Write all lists, or none.  Raises OutputRefused if another process has made the directory meanwhile."""
    partial = directory.with_name(f".{directory.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for number, entries in enumerate(lists, 1):
            (partial / file_name(number)).write_text("".join(f"{entry}\n" for entry in entries), encoding="utf-8")
        check_new(directory)
        partial.rename(directory)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StorageProblem(
            f"{shown(str(directory), 200)} cannot be written: {cause_of(error)}", "choose another directory with -o"
        ) from error


def file_name(task: int) -> str:
    """Return the name of the list of a task; no leading zeros, so that a script can put the task's number there."""
    return f"task-{task}.txt"


def records(lists: Sequence[Sequence[int]], bases: Sequence[int | None], directory: Path) -> Iterator[dict[str, Any]]:
    """Yield what is said of each list, with the keys of DOCUMENT."""
    for number, positions in enumerate(lists, 1):
        known = [length for n in positions if (length := bases[n]) is not None]
        yield {
            "task": number,
            "runs": len(positions),
            "bases": sum(known) if known else None,
            "path": str(directory.absolute() / file_name(number)),
        }
