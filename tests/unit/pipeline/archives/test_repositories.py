"""The directories of the user's SRA configuration are searched in all layouts; the configuration is not changed."""

import time
from pathlib import Path

import pytest

from wort_cli.pipeline.archives import repositories
from wort_cli.pipeline.archives.repositories import Repositories, find_repositories, parse_repositories
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
        repositories = find_repositories(tools, time.monotonic() + 60)
    assert not repositories.needs_srapath
    return repositories.directories


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


def test_configuration_is_read_again_when_a_file_of_it_changes(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []

    def read(*_: object) -> Repositories:
        reads.append(Path(f"/place/{len(reads)}"))
        return Repositories((reads[-1],))

    monkeypatch.setattr(repositories, "read_repositories", read)
    assert [found(user) for _ in range(2)] == [(Path("/place/0"),)] * 2
    settings = user / ".ncbi" / "user-settings.mkfg"
    settings.parent.mkdir()
    settings.write_text('/a = "b"\n')
    assert [found(user) for _ in range(2)] == [(Path("/place/1"),)] * 2
    (settings.parent / "more.kfg").write_text('/a = "c"\n')
    assert [found(user) for _ in range(2)] == [(Path("/place/2"),)] * 2
    monkeypatch.setenv("VDB_CONFIG", str(user))
    assert found(user) == (Path("/place/3"),)
    (user / "x.kfg").write_text('/a = "d"\n')
    assert found(user) == (Path("/place/4"),)
    monkeypatch.setattr(repositories, "VALID_FOR", 0.0)
    assert found(user) == (Path("/place/5"),)


def test_without_vdb_config_only_srapath_knows_the_repositories(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(user))
    with ToolGroup(user.parent / "run", NEVER, lambda _: None) as tools:
        assert find_repositories(tools, time.monotonic() + 60) == Repositories(needs_srapath=True)


@pytest.mark.parametrize(
    ("xml", "directories", "needs_srapath"),
    [
        ("", [], True),
        ("<repository", [], True),
        ("<r><m><root>relative</root></m></r>", [], False),
        ("<r><m><root> /a </root></m></r>", ["/a"], False),
        ("<r><m><root>/a</root><disabled>true</disabled></m></r>", [], False),
        ("<r><m><root>/a</root><apps><sra><volumes><sraFlat>b:c/d</sraFlat><sra1024/></volumes></sra></apps></m></r>",
         ["/a/b", "/a/c/d", "/a"], False),
        ("<r><m><root>/a</root><apps><sra><volumes><sra1024>b</sra1024></volumes></sra></apps></m></r>",
         ["/a/b", "/a"], True),
    ],
)  # fmt: skip
def test_repositories_of_a_configuration(xml: str, directories: list[str], needs_srapath: bool) -> None:
    assert parse_repositories(xml) == Repositories(tuple(map(Path, directories)), needs_srapath)
