"""Acts as a second user of the machine, with a real user id: as root, or with sudo(8) that asks for no password.

Nobody else can: a test that needs it is then skipped, and pytest's summary says why.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

OTHER = 65534
"""The id of the other user, who has no files on this machine."""


WHY_NOT = "another user's files can be made only by root, or with sudo that asks for no password"


@cache
def sudo() -> tuple[str, ...]:
    """Return the command line of sudo; empty for root.  Skips the test if it cannot be used."""
    if os.geteuid() == 0:
        return ()
    words = ("sudo", "-n", "--")
    if shutil.which("sudo") is None or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip(WHY_NOT)
    return words


@contextmanager
def shared_directory() -> Iterator[Path]:
    """Make a directory that every user may enter and write to, as on a shared disk."""
    command = sudo()
    with tempfile.TemporaryDirectory(prefix="wort-attack-") as made:
        Path(made).chmod(0o777)
        try:
            yield Path(made)
        finally:
            if command:  # root may remove the other user's files, this user may not
                subprocess.run([*command, "chown", "-R", f"{os.geteuid()}:{os.getegid()}", made], check=True)


def as_other(script: str, *arguments: Path) -> None:
    """Run a shell script as the other user."""
    words = ("setpriv", "--reuid", str(OTHER), "--regid", str(OTHER), "--clear-groups", "sh", "-ec", script, "sh")
    subprocess.run([*sudo(), *words, *map(str, arguments)], check=True)


def give_to_other(path: Path) -> None:
    """Make a file or directory the other user's."""
    subprocess.run([*sudo(), "chown", f"{OTHER}:{OTHER}", str(path)], check=True)
