"""Tests of `-o`: regular files are replaced atomically, everything else is written to in place."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wort_cli.commands.shared.output import write_output
from wort_cli.errors import StorageProblem, UsageError

TO_STDOUT = """
from pathlib import Path
from wort_cli.commands.shared.output import write_output
write_output(Path("/dev/stdout"), b"x", "")
"""


def test_file_is_written_and_replaced_without_leftovers(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_output(tmp_path / "x.sig", content, "")
        assert (tmp_path / "x.sig").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["x.sig"]


def test_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write_output(tmp_path / "link", b"x", "")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"


def test_named_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_output(pipe, b"x", "")
    assert os.read(reader, 10) == b"x"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)


def test_device_is_written_to_and_not_replaced() -> None:
    ours, theirs = os.openpty()
    terminal = Path(os.ttyname(theirs))
    write_output(terminal, b"x", "")
    assert os.read(ours, 10) == b"x"
    assert stat.S_ISCHR(terminal.stat().st_mode)
    os.close(ours)
    os.close(theirs)


def test_dev_stdout_can_be_a_pipe() -> None:
    done = subprocess.run([sys.executable, "-c", TO_STDOUT], capture_output=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (b"x", b"", 0)


def test_unwritable_target_raises_a_storage_problem_with_the_hint(tmp_path: Path) -> None:
    with pytest.raises(StorageProblem, match="can't be written") as problem:
        write_output(tmp_path, b"x", "elsewhere")
    assert problem.value.hint == "elsewhere"


@pytest.mark.parametrize("parent", ["nowhere", "file"])
def test_missing_directory_is_a_usage_error(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no directory"):
        write_output(tmp_path / parent / "x.sig", b"x", "")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
