"""Writes a result to the file that the user named with `-o`."""

import io
import shutil
from pathlib import Path
from typing import IO

from wort_cli.errors import StorageProblem, UsageError
from wort_cli.system.atomic_files import atomic_output


def write_output(target: Path, source: IO[bytes] | bytes, hint: str) -> None:
    """Write bytes, or the content of an open file, to `target`.

    A regular file is replaced atomically; a device or pipe, such as /dev/stdout, is opened and written.
    Raises UsageError if the directory does not exist, and StorageProblem with `hint` if the target cannot be written.
    """
    if not target.absolute().parent.is_dir():
        raise UsageError(f"there is no directory {target.absolute().parent}")
    try:
        content = io.BytesIO(source) if isinstance(source, bytes) else source
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)
            return
        with atomic_output(target.resolve()) as file:  # follow a symbolic link instead of replacing it
            shutil.copyfileobj(content, file)
    except OSError as error:
        raise StorageProblem(f"{target} can't be written: {error.strerror}", hint) from error
