"""A crash of a process is written into its files; the files of one that was killed stay empty."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wort_cli.system.crash_file import has_crashed

PROGRAM = """
import os, sys
from pathlib import Path
from wort_cli.system.crash_file import crash_files
one, two, three = (Path(sys.argv[1], name) for name in ("one", "two", "three"))
crash_files.add(one)
crash_files.add(two)
one.unlink()
crash_files.add(three)
if len(sys.argv) > 3 and not os.fork():
    crash_files.add(one)
    os._exit(0)
os.kill(os.getpid(), int(sys.argv[2]))
"""


def run(directory: Path, number: int, *more: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, directory, str(number), *more], capture_output=True, check=False
    )
    assert done.returncode == -number


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_crash_is_in_all_files_of_the_process(tmp_path: Path, number: int) -> None:
    run(tmp_path, number)
    assert [has_crashed(tmp_path / name) for name in ("one", "two", "three")] == [False, True, True]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_signal_from_outside_is_no_crash(tmp_path: Path, number: int) -> None:
    run(tmp_path, number)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["three", "two"]
    assert not any(has_crashed(path) for path in tmp_path.iterdir())


def test_child_process_has_files_of_its_own(tmp_path: Path) -> None:
    run(tmp_path, signal.SIGSEGV, "fork")
    assert [has_crashed(tmp_path / name) for name in ("one", "two", "three")] == [False, True, True]
