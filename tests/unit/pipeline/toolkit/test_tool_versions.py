"""A tool is asked for its version once, until its file changes."""

from pathlib import Path

import pytest

from wort_cli.pipeline.toolkit import tool_versions
from wort_cli.pipeline.toolkit.tool_versions import FILE, ToolVersions

KEY = b"k" * 32


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a tool; this process remembers no version."""
    forget(monkeypatch)
    path = tmp_path / "tool"
    path.write_text("one")
    return path


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember nothing, as a new process does."""
    monkeypatch.setattr(tool_versions, "versions_by_file", {})


def test_version_is_remembered_by_later_processes(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / FILE
    ToolVersions(file, KEY).put(str(program), "3.0.3")
    assert ToolVersions().get(str(program)) == "3.0.3"
    forget(monkeypatch)
    assert ToolVersions().get(str(program)) is None
    assert ToolVersions(file, b"x" * 32).get(str(program)) is None
    assert ToolVersions(file, KEY).get(str(program)) == "3.0.3"


def test_version_of_a_replaced_tool_is_unknown(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / FILE
    ToolVersions(file, KEY).put(str(program), "3.0.3")
    program.write_text("other")
    assert ToolVersions(file, KEY).get(str(program)) is None
    ToolVersions(file, KEY).put(str(program), "3.1.0")
    forget(monkeypatch)
    assert ToolVersions(file, KEY).get(str(program)) == "3.1.0"


def test_damaged_or_forged_file_is_ignored(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / FILE
    ToolVersions(file, KEY).put(str(program), "3.0.3")
    forget(monkeypatch)
    for content in (file.read_bytes().replace(b"3.0.3", b"3.0.4"), b"", b"[1]", b"{}"):
        file.write_bytes(content)
        assert ToolVersions(file, KEY).get(str(program)) is None


def test_number_of_remembered_tools_is_bounded(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / FILE
    for number in range(tool_versions.MOST + 2):
        other = tmp_path / f"tool{number}"
        other.touch()
        ToolVersions(file, KEY).put(str(other), f"{number}.0.0")
    forget(monkeypatch)
    found = [ToolVersions(file, KEY).get(str(tmp_path / f"tool{number}")) for number in range(tool_versions.MOST + 2)]
    assert found[:2] == [None, None]
    assert None not in found[2:]
