"""Writes a result to the file that a person named."""

import io
import shutil
from pathlib import Path

from wort_cli.errors import StorageProblem, UsageError
from wort_cli.system.atomic_files import atomic_file


def write_output(target: Path, source: Path | bytes, hint: str) -> None:
    """Write bytes, or what a file has, whole or not at all.

    What is no regular file (/dev/stdout, a pipe) is written to as it is.

    UsageError if there is no such directory; StorageProblem, with `hint`, if the file can't be written.
    """
    if not target.absolute().parent.is_dir():
        raise UsageError(f"there is no directory {target.absolute().parent}")
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as content:
            if target.exists() and not target.is_file():
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file)
                return
            with atomic_file(target.resolve()) as file:  # of a link, its target is meant
                shutil.copyfileobj(content, file)
    except OSError as error:
        raise StorageProblem(f"{target} can't be written: {error.strerror}", hint) from error
