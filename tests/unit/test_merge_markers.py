"""No file of the project has the marks that git leaves where a merge was not resolved."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARKS = "^(<<<<<<<|[|]{7}|>>>>>>>) "


def marked_lines(directory: Path) -> str:
    """Return the lines of the files in a directory that begin with such a mark, each with its file and number."""
    command = ["git", "grep", "--no-index", "--exclude-standard", "-nIE", MARKS, "--", "."]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_no_file_has_them() -> None:
    assert marked_lines(ROOT) == ""


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "||||||| base", ">>>>>>> branch"])
def test_they_are_found(tmp_path: Path, mark: str) -> None:
    (tmp_path / "page.md").write_text(f"one\n{mark}\ntwo\n", encoding="ascii")
    assert marked_lines(tmp_path) == f"page.md:2:{mark}\n"
