"""Writes a result to the file that a person named."""

from pathlib import Path

from wort_cli.errors import StorageProblem, UsageError
from wort_cli.stores.local import write_whole


def write_output(target: Path, data: bytes, hint: str) -> None:
    """Write a file, whole or not at all; what is no regular file (/dev/stdout, a pipe) is written to as it is.

    UsageError if there is no such directory; StorageProblem, with `hint`, if the file can't be written.
    """
    if not target.absolute().parent.is_dir():
        raise UsageError(f"there is no directory {target.absolute().parent}")
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
        else:
            write_whole(target.resolve(), data)  # of a link, its target is meant
    except OSError as error:
        raise StorageProblem(f"{target} can't be written: {error.strerror}", hint) from error
