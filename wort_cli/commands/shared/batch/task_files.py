"""Writes the files of `wort plan` and `wort batch`: a list of runs for each task, in a new directory."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from wort_cli.commands.shared.exporting.output import OutputRefused
from wort_cli.errors import StorageProblem, cause_of, shown
from wort_cli.system.atomic_files import atomic_directory


def check_new(directory: Path) -> None:
    """Raise OutputRefused for a directory that has something, or for another file."""
    if directory.is_symlink() or directory.exists():
        if directory.is_dir() and not directory.is_symlink() and next(directory.iterdir(), None) is None:
            return
        raise OutputRefused(
            f"{shown(str(directory), 200)} exists and is not an empty directory", "choose another one with -o"
        )


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
