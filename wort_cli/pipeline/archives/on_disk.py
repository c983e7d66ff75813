"""Finds the archive of a run on disk, below directories, by the names and places of archive_names.py.

A file is taken only if it starts like an archive.  Another one, such as an error page that was saved under that name,
is skipped, and the log says so.  Among several archives of a run the setting `quality` chooses the format.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wort_cli.errors import NoAnswer
from wort_cli.model.archive_format import ALLOWED, Format
from wort_cli.pipeline.archives.archive_format import format_of
from wort_cli.pipeline.archives.archive_names import names_of, places_of
from wort_cli.pipeline.archives.fetch_record import has_only_columns, read_record, record_path
from wort_cli.pipeline.archives.kar import MAGIC
from wort_cli.system.network_disks import check_answers


@dataclass(frozen=True)
class FoundArchive:
    """An archive on disk."""

    path: Path
    format: Format


def find_in_directories(run: str, directories: Iterable[Path], log: Callable[[str], None]) -> Iterator[FoundArchive]:
    """Yield the archives of a run below some directories, in the order of the directories and then of the names.

    Raises NoAnswer at the end if a directory is on a network file system that does not answer.
    """
    silent: NoAnswer | None = None
    for directory in directories:
        places = list(places_of(run, directory))
        try:
            check_answers(places, directory)
        except NoAnswer as error:
            log(error.sentence)
            silent = silent or error
            continue
        for path in places:
            if path.is_file() and (found := look_at(path, log)):
                yield found
    if silent is not None:
        raise silent


def is_in_directories(run: str, directories: Iterable[Path], quality: str) -> bool:
    """Return whether some directories have an archive of a run that the setting `quality` allows."""
    return choose(find_in_directories(run, directories, lambda _: None), quality) is not None


def find_in_folder(name: str, folder: Path, log: Callable[[str], None]) -> Iterator[FoundArchive]:
    """Yield the archives of a run, or of another name, in the directory that has only this run."""
    for filename in names_of(name) if folder.is_dir() else ():
        path = folder / filename
        if path.is_file() and (found := look_at(path, log)):
            yield found


def look_at(path: Path, log: Callable[[str], None]) -> FoundArchive | None:
    """Return the archive at a path; log why, and return None, if there is none that can be used."""
    try:
        if why := why_unusable(path):
            log(f"{path} is skipped: {why}")
            return None
        return FoundArchive(path, format_of(path))
    except OSError as error:
        log(f"{path} is skipped: {error.strerror}")
        return None


def why_unusable(path: Path) -> str:
    """Return why a file is no archive that can be used; '' if it is one.  Raises OSError if it cannot be read."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return "it does not start like an SRA archive"
    if has_only_columns(path) and read_record(path) is None:
        return f"it has only some columns of an archive, and no record says which ({record_path(path).name})"
    return ""


def choose(archives: Iterable[FoundArchive], quality: str) -> FoundArchive | None:
    """Return the first archive of the format that the setting `quality` prefers, else of the next that it allows.

    No more archives are looked at than that needs.
    """
    preferred, *others = ALLOWED[quality]
    rest: list[FoundArchive] = []
    for archive in archives:
        if archive.format is preferred:
            return archive
        rest.append(archive)
    return first_of(rest, others)


def first_of(archives: Sequence[FoundArchive], formats: Iterable[Format]) -> FoundArchive | None:
    """Return the first archive of the first of these formats that there is."""
    for wanted in formats:
        for archive in archives:
            if archive.format is wanted:
                return archive
    return None
