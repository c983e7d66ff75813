"""A copy of a home that was made once for a module of tests, for one test to change."""

import shutil
from pathlib import Path

import pytest


def copied_home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy a home and use it; return the copy, whose parent is the working directory from now on."""
    copy = tmp_path / "home"
    shutil.copytree(made, copy)
    monkeypatch.setenv("WORT_HOME", str(copy))
    monkeypatch.chdir(tmp_path)
    return copy
