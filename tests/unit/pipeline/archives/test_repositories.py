"""The directories of the user's SRA configuration are searched in all layouts; the configuration is not changed."""

import time
from pathlib import Path

import pytest

from wort_cli.pipeline.archives import repositories
from wort_cli.pipeline.archives.repositories import directories_in, repository_directories
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.system.cancellation import NEVER


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home of a user without a configuration."""
    (tmp_path / "home").mkdir()
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VDB_CONFIG", raising=False)
    monkeypatch.delenv("NCBI_SETTINGS", raising=False)
    monkeypatch.setattr(repositories, "remembered", {})
    return tmp_path / "home"


def found(user: Path) -> tuple[Path, ...]:
    with ToolGroup(user.parent / "run", NEVER, lambda _: None) as tools:
        return repository_directories(tools, time.monotonic() + 60)


def test_repositories_of_the_users_settings_are_found(user: Path) -> None:
    (user / ".ncbi").mkdir()
    (user / ".ncbi" / "user-settings.mkfg").write_text(
        '/LIBS/GUID = "8d3a6f2e-1111-4222-8333-444455556666"\n'
        f'/repository/user/main/public/root = "{user.parent}/repository"\n'
        '/repository/user/main/public/apps/sra/volumes/sraFlat = "sra"\n'
        '/repository/site/main/public/root = "$(HOME)/site"\n'
    )
    before = {path: path.read_bytes() for path in user.rglob("*.mkfg")}
    repository = user.parent / "repository"
    assert set(found(user)) == {repository / "sra", repository, user / "site"}
    assert {path: path.read_bytes() for path in user.rglob("*") if path.is_file()} == before


def test_no_configuration_means_no_directory_and_none_is_written(user: Path) -> None:
    assert found(user) == ()
    assert list(user.iterdir()) == []


def test_directories_are_remembered_for_a_while(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repositories, "read_directories", lambda tools, deadline: (Path("/somewhere"),))
    assert found(user) == (Path("/somewhere"),)
    monkeypatch.setattr(repositories, "read_directories", lambda tools, deadline: ())
    assert found(user) == (Path("/somewhere"),)
    monkeypatch.setattr(repositories, "VALID_FOR", 0.0)
    assert found(user) == ()


@pytest.mark.parametrize(
    ("xml", "directories"),
    [
        ("", []),
        ("<repository", []),
        ("<r><m><root>relative</root></m></r>", []),
        ("<r><m><root> /a </root></m></r>", ["/a"]),
        ("<r><m><root>/a</root><disabled>true</disabled></m></r>", []),
        ("<r><m><root>/a</root><apps><sra><volumes><x>b:c/d</x><y/></volumes></sra></apps></m></r>",
         ["/a/b", "/a/c/d", "/a"]),
    ],
)  # fmt: skip
def test_directories_of_a_configuration(xml: str, directories: list[str]) -> None:
    assert [str(path) for path in directories_in(xml)] == directories
