"""The files that `wort plan` and `wort batch` write: a list of runs for each task, in a directory that is new."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from wort_cli.commands.shared.arguments.expansion import Expander
from wort_cli.commands.shared.exporting.output import OutputRefused
from wort_cli.commands.shared.showing import render
from wort_cli.errors import StorageProblem, UsageError, cause_of, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Source
from wort_cli.model.task_lists import number_of_tasks, split
from wort_cli.pipeline.archives.counts import tables_of
from wort_cli.system.atomic_files import atomic_directory


def check_new(directory: Path) -> None:
    """Raise OutputRefused for a directory that has something, or for another file."""
    if directory.is_symlink() or directory.exists():
        if directory.is_dir() and not directory.is_symlink() and next(directory.iterdir(), None) is None:
            return
        raise OutputRefused(
            f"{shown(str(directory), 200)} exists and is not an empty directory", "choose another one with -o"
        )


def check_division(tasks: int | None, bases_per_task: float | None) -> None:
    """Raise UsageError unless one option says how many lists to make."""
    if (tasks is None) == (bases_per_task is None):
        raise UsageError("give either --tasks or --bases-per-task")


def divided(bases: Sequence[int | None], tasks: int | None, bases_per_task: float | None) -> list[list[int]]:
    """Return the positions of the runs of each task, of lengths in bases."""
    return split(bases, tasks or number_of_tasks(bases, max(1, round(bases_per_task or 1))))


def explain_division(runs: int, unknown: int, tasks: int, wanted: int | None) -> None:
    """Write to stderr how many runs are in how many lists, and of how many the length is not known."""
    fewer = f"; {wanted:,} were asked for" if wanted is not None and wanted > tasks else ""
    render.notice(f"{render.count(runs, 'run')} in {render.count(tasks, 'task')}{fewer}")
    if unknown and tasks > 1:
        which = "none" if unknown == runs else f"{runs - unknown:,} of {runs:,}"
        render.notice(
            f"the length of {which} is known, so the tasks may differ in time: `wort runs` or `wort metadata import`"
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


def list_files(lists: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return the lists of all tasks by the names of their files."""
    return {list_name(number): "".join(f"{entry}\n" for entry in entries) for number, entries in enumerate(lists, 1)}


def list_name(task: int) -> str:
    """Return the name of the list of a task; no leading zeros, so that a script can put the task's number there."""
    return f"task-{task}.txt"


def write_new(directory: Path, files: Mapping[str, str], directories: Sequence[str] = ()) -> None:
    """Write all files below a new directory, or none; scripts may be executed.

    directories: others to make there, which stay empty

    Raises OutputRefused if another process has made the directory meanwhile.
    """
    try:
        with atomic_directory(directory) as new:
            for name in directories:
                (new / name).mkdir()
            for name, text in files.items():
                path = new / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8", errors="surrogateescape")
                if text.startswith("#!"):
                    path.chmod(0o700)
            check_new(directory)
    except OSError as error:
        raise StorageProblem(
            f"{shown(str(directory), 200)} cannot be written: {cause_of(error)}", "choose another directory with -o"
        ) from error
