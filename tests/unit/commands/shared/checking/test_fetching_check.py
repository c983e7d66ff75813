"""`wort doctor` tests the locator and the mirrors within a time limit, and only warns without a network."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.archive_server import PAGE, ArchiveServer, Fate
from tests.support.shelf import Shelf
from wort_cli.commands.shared.checking.fetching_check import NETWORK_FIX, Check, check_fetching, run_all
from wort_cli.commands.shared.checking.finding import Finding
from wort_cli.model.accession import Accession
from wort_cli.settings import load_settings

RUN = Accession("SRR000001")


@pytest.fixture
def server(shelf: Shelf) -> Iterator[ArchiveServer]:
    with ArchiveServer({RUN: shelf.with_qualities().read_bytes()}).serving() as running:
        yield running


def findings(root: Path, server: ArchiveServer | None = None, **env: str) -> list[Finding]:
    if server is not None:
        env = {
            "WORT_LOCATOR_URL": f"{server.url}/sdl/2/retrieve", "WORT_MIRRORS": f"{server.url}/{{run}}", **env
        }  # fmt: skip
    return list(check_fetching(load_settings({"WORT_HOME": str(root / "home"), **env}), RUN))


def test_what_would_be_fetched_is_said(tmp_path: Path, server: ArchiveServer) -> None:
    locator, mirror, fetching = findings(tmp_path, server)
    host = server.url.removeprefix("http://")
    assert (locator.state, locator.detail) == ("ok", f"{host} has {RUN}: normalized, 3.2 MB")
    assert (mirror.state, mirror.detail) == ("ok", f"{host} has {RUN}: 3.2 MB")
    assert fetching.state == "ok"
    assert fetching.detail.startswith("1.")
    assert fetching.detail.endswith(f"MB of 3.2 MB of {RUN} (normalized) would come from {host}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "env", [{"WORT_DOWNLOAD": "toolkit"}, {"WORT_LOCATOR_URL": "off", "WORT_MIRRORS": "off"}], ids=str
)
def test_nothing_is_asked_where_the_settings_turn_it_off(
    tmp_path: Path, server: ArchiveServer, env: dict[str, str]
) -> None:
    (finding,) = findings(tmp_path, server, **env)
    assert finding.state == "ok"
    assert server.requests == []


def test_machine_without_a_network_gets_a_warning_for_each_server(tmp_path: Path) -> None:
    env = {"WORT_LOCATOR_URL": "http://127.0.0.1:9/sdl", "WORT_MIRRORS": "http://127.0.0.2:9/{run}"}
    found = findings(tmp_path, None, **env)
    assert [(finding.state, finding.what) for finding in found] == [("warning", "locator"), ("warning", "mirror")]
    assert {finding.fix for finding in found} == {NETWORK_FIX}


def test_captive_portal_is_recognised(tmp_path: Path, server: ArchiveServer) -> None:
    server.fate = lambda request: Fate(status=200, body=PAGE)
    locator, mirror, *_ = findings(tmp_path, server)
    assert (locator.state, mirror.state) == ("warning", "warning")
    assert "does this network need a login" in locator.detail
    assert "ignores the range" in mirror.detail


def test_mirror_of_other_files_is_recognised(tmp_path: Path, server: ArchiveServer) -> None:
    server.files["page"] = PAGE
    _, mirror, missing, fetching = findings(
        tmp_path, server, WORT_MIRRORS=f"{server.url}/page?{{run}} {server.url}/none/{{run}}"
    )
    assert (mirror.state, "a file that is not an SRA archive" in mirror.detail) == ("warning", True)
    assert (missing.state, "does not have" in missing.detail) == ("warning", True)
    assert fetching.state == "ok"


def test_run_that_the_locator_does_not_know_is_no_fault_of_the_network(tmp_path: Path, server: ArchiveServer) -> None:
    server.files.clear()
    locator, _, fetching = findings(tmp_path, server)
    assert (locator.state, "does not know this run" in locator.detail) == ("ok", True)
    assert fetching.state == "warning"
    assert fetching.fix.startswith("check the accession")


def test_check_that_does_not_end_is_left_after_the_limit() -> None:
    over = threading.Event()

    def never() -> Finding:
        over.wait(60)
        return Finding("ok", "never", "")

    started = time.monotonic()
    slow, quick = run_all([Check("locator", never), Check("mirror", lambda: Finding("ok", "mirror", "x"))], 0.2)
    assert time.monotonic() - started < 50
    over.set()
    assert (slow.state, slow.detail, quick.detail) == ("warning", "no answer within 0.2 seconds", "x")
