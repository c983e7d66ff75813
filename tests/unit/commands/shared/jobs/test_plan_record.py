"""A dry run says where archives are and what would be fetched of them, and changes nothing."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.archive_server import ArchiveServer
from tests.support.shelf import Shelf, copy_archive
from wort_cli.commands.shared.jobs.plan_record import plan_records
from wort_cli.model.accession import Accession, LocalName
from wort_cli.model.job import Source
from wort_cli.settings import load_settings

RUN = Accession("SRR000001")


def planned(root: Path, source: Source, **env: str) -> dict[str, Any]:
    defaults = {"WORT_HOME": str(root / "home"), "WORT_MIRRORS": "off", "WORT_LOCATOR_URL": "off"}
    (record,) = plan_records([source], load_settings({**defaults, **env}))
    return record


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VDB_CONFIG", str(tmp_path))


def test_plan_distinguishes_columns_from_a_whole_archive(tmp_path: Path, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    size = archive.stat().st_size
    with ArchiveServer({RUN: archive.read_bytes()}).serving() as server:
        env = {"WORT_LOCATOR_URL": f"{server.url}/sdl/2/retrieve"}
        columns = planned(tmp_path, Source(RUN), **env)
        whole = planned(tmp_path, Source(RUN), WORT_DOWNLOAD="whole", **env)
        assert server.sent < 150_000
    assert columns == {
        "format": "normalized", "fetch": columns["fetch"], "archive_size": size, "archive": f"{server.url}/{RUN}",
        "message": None,
    }  # fmt: skip
    assert 0 < columns["fetch"] < 0.8 * size
    assert whole["fetch"] == size
    assert list(tmp_path.rglob("*.sra")) == []


def test_archive_on_disk_is_not_fetched(tmp_path: Path, shelf: Shelf) -> None:
    path = copy_archive(shelf.archive(), tmp_path / "archives" / f"{RUN}.sralite.1")
    found = planned(tmp_path, Source(RUN), WORT_ARCHIVES=str(path.parent))
    assert found == planned(tmp_path, Source(RUN, path))
    assert (found["fetch"], found["archive"]) == (0, str(path))


@pytest.mark.parametrize(
    ("source", "env", "why"),
    [
        (Source(RUN), {}, "not-asked: the setting `locator_url` is off, and there are no mirrors"),
        (Source(RUN), {"WORT_DOWNLOAD": "toolkit"}, "streamed by the SRA toolkit"),
        (Source(LocalName("x"), Path("/nowhere/x.sra")), {}, "No such file or directory: /nowhere/x.sra"),
    ],
)
def test_reason_is_shown_where_there_is_nothing_to_fetch(
    tmp_path: Path, source: Source, env: dict[str, str], why: str
) -> None:
    found = planned(tmp_path, source, **env)
    assert (found["message"], found["archive"], found["archive_size"]) == (why, None, None)
