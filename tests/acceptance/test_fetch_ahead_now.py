"""`--now` with several runs fetches the archive of the next one while it sketches another."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.acceptance.test_download import serving
from tests.support.archive_server import ArchiveServer
from tests.support.gate import Gate
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf

FIRST, SECOND = "SRR000001", "SRR000002"


@pytest.fixture
def server(home: Home, shelf: Shelf) -> Iterator[ArchiveServer]:
    """A server that has two runs."""
    archive = shelf.with_qualities()
    with serving(home, archive) as made:
        made.files[SECOND] = archive.read_bytes()
        yield made


def gets(server: ArchiveServer, run: str) -> int:
    return sum(request.method == "GET" and request.path == f"/{run}" for request in server.requests)


def test_next_archive_is_fetched_while_another_run_is_sketched(
    home: Home, server: ArchiveServer, shelf: Shelf, gate: Gate
) -> None:
    with home.running("compute", FIRST, SECOND, "--now", env=gate.env) as now:
        gate.until_reached()
        until(lambda: home.job(SECOND).state == "running", "the second job is claimed")
        until(lambda: list(home.path.glob("work/2/archive/*.map")), "the second archive arrives")
        until(lambda: not list(home.path.glob("work/2/attempt-*")), "the second archive is there")
        fetched = gets(server, SECOND)
        gate.open()
        now.wait().expect(0)
    assert gets(server, SECOND) == fetched > 0, "nothing is fetched again"
    for run in (FIRST, SECOND):
        assert home.signature(run) == shelf.reference(shelf.with_qualities(), run)
        assert home.job(run).attempt == 1
    assert home.leftovers() == []


@pytest.mark.parametrize(
    ("number", "states"), [(signal.SIGINT, ["cancelled", "cancelled"]), (signal.SIGTERM, ["queued", "queued"])]
)
def test_interrupted_process_leaves_no_claimed_job(
    number: int, states: list[str], home: Home, server: ArchiveServer, gate: Gate
) -> None:
    with home.running("compute", FIRST, SECOND, "--now", env=gate.env) as now:
        gate.until_reached()
        until(lambda: home.job(SECOND).state == "running", "the second job is claimed")
        now.signal(number)
        now.process.wait(60)
    assert [job.state for job in home.jobs()] == states
    home.until_idle()
    if states == ["cancelled", "cancelled"]:
        assert home.leftovers() == []
    else:
        home("compute", FIRST, SECOND, "--now").expect(0)


def test_killed_process_loses_no_job(home: Home, server: ArchiveServer, gate: Gate) -> None:
    with home.running("compute", FIRST, SECOND, "--now", env=gate.env) as now:
        gate.until_reached()
        until(lambda: home.job(SECOND).state == "running", "the second job is claimed")
        os.kill(now.process.pid, signal.SIGKILL)
    home("compute", FIRST, SECOND, "--now").expect(0)
    assert [job.state for job in home.jobs()] == ["done", "done"]
    assert home.leftovers() == []


def test_no_archive_is_fetched_ahead_if_the_setting_is_zero(home: Home, server: ArchiveServer, gate: Gate) -> None:
    with home.running("compute", FIRST, SECOND, "--now", env={**gate.env, "WORT_FETCH_AHEAD": "0"}) as now:
        gate.until_reached()
        assert gets(server, SECOND) == 0
        assert home.job(SECOND).state == "queued"
        gate.open()
        now.wait().expect(0)
