"""A result is written where it is wanted, and nothing else comes to harm."""

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


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_output(tmp_path / "x.sig", content, "")
        assert (tmp_path / "x.sig").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["x.sig"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write_output(tmp_path / "link", b"x", "")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_output(pipe, b"x", "")
    assert os.read(reader, 10) == b"x"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)


def test_a_device_is_written_to_and_stays_a_device() -> None:
    ours, theirs = os.openpty()
    terminal = Path(os.ttyname(theirs))
    write_output(terminal, b"x", "")
    assert os.read(ours, 10) == b"x"
    assert stat.S_ISCHR(terminal.stat().st_mode)
    os.close(ours)
    os.close(theirs)


def test_standard_output_may_be_named_when_it_is_a_pipe() -> None:
    done = subprocess.run([sys.executable, "-c", TO_STDOUT], capture_output=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (b"x", b"", 0)


def test_a_place_that_cannot_be_written_is_a_storage_problem_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(StorageProblem, match="can't be written") as problem:
        write_output(tmp_path, b"x", "elsewhere")
    assert problem.value.hint == "elsewhere"


@pytest.mark.parametrize("parent", ["nowhere", "file"])
def test_a_directory_that_is_not_there_is_asked_for(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no directory"):
        write_output(tmp_path / parent / "x.sig", b"x", "")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
