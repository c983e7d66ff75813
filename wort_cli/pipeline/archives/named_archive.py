"""Finds the archive that a user names by its path, or by the directory that `prefetch` made for it."""

import os
from pathlib import Path

from wort_cli.errors import NoSuchFile, UsageError, shown
from wort_cli.pipeline.archives.archive_names import names_of
from wort_cli.pipeline.archives.kar import MAGIC
from wort_cli.pipeline.archives.on_disk import choose, find_in_folder
from wort_cli.reading.file_kinds import CACHE, recognise_file
from wort_cli.system.network_disks import check_answers


def find_archive(word: str, quality: str = "prefer-normalized") -> Path:
    """Return the absolute path of an archive; for a directory made by `prefetch` or `wort fetch`, of the one inside."""
    if "\0" in word or len(word) > os.pathconf("/", "PC_PATH_MAX"):
        raise UsageError("the argument is not a path", "a path has no NUL character and a limited length")
    try:
        path = Path(word).expanduser().absolute()
    except RuntimeError as error:  # ~USER of an unknown user
        raise UsageError(f"{shown(word)}: {error}") from None
    check_answers([path])
    try:
        if path.is_dir():
            path = archive_inside(path, quality)
        if not path.is_file():
            raise NoSuchFile(path)
        if why := why_no_archive(path):
            raise why
    except OSError as error:
        raise NoSuchFile(path, error.strerror or str(error)) from None
    if not str(path).isprintable():
        raise UsageError("the path contains control characters", "rename the file")
    return path


def why_no_archive(path: Path) -> UsageError | None:
    """Return what a file is that is no archive; None for an archive.  Raises OSError if it cannot be read."""
    if not path.name.endswith(CACHE):
        with path.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                return None
    found = recognise_file(path)
    if found is None:
        return UsageError(f"{shown(str(path), 200)} is not an SRA archive", "check the file with `vdb-validate FILE`")
    return UsageError(f"{shown(str(path), 200)} is not an SRA archive: this is {found.what}", found.hint)


def archive_inside(folder: Path, quality: str) -> Path:
    """Return the archive of the run that a directory is named after; raise NoSuchFile if it has no file of that name.

    A file that is no archive is returned too.
    """
    if found := choose(find_in_folder(folder.name, folder, lambda _: None), quality):
        return found.path
    for path in (folder / name for name in names_of(folder.name)):
        if path.is_file():
            return path
    raise NoSuchFile(folder, f"the directory has no {folder.name}.sra")
