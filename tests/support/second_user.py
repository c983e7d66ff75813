"""Acts as a second user of the machine, with a real user id; that needs root."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OTHER = 65534
"""The id of the other user, who has no files on this machine."""


@contextmanager
def shared_directory() -> Iterator[Path]:
    """Make a directory that every user may enter and write to, as on a shared disk."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as a second user")
    with tempfile.TemporaryDirectory(prefix="wort-attack-") as made:
        Path(made).chmod(0o777)
        yield Path(made)


def as_other(script: str, *arguments: Path) -> None:
    """Run a shell script as the other user."""
    argv: list[str] = ["sh", "-ec", script, "sh", *map(str, arguments)]
    subprocess.run(argv, user=OTHER, group=OTHER, extra_groups=[], check=True)
