"""One host never gets more connections than the setting allows, and no request while it is paused."""

import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

from tests.support.archive_server import ArchiveServer, Fate, Request
from tests.support.polling import until
from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.fetch import Fetch
from wort_cli.pipeline.archives.http import HttpClient, HttpError, Timeouts
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.locator import Location
from wort_cli.pipeline.archives.partial import Identity, PartialArchive
from wort_cli.pipeline.archives.politeness import TURN, Politeness
from wort_cli.system.cancellation import NEVER, Cancellation, Cancelled

PROCESSES, THREADS, CONNECTIONS = 4, 4, 3
TIMEOUTS = Timeouts(connect=5.0, silence=10.0, total=60.0)
DATA = os.urandom(2_000_000)


def fetch(root: Path, url: str, number: str, pause: float) -> str:
    """Fetch all of DATA as one attempt does; return the reason why it failed, '' if it did not."""
    politeness = Politeness(root / "rates", CONNECTIONS, pause=pause)
    partial = PartialArchive(root / number / "x.sra", Identity(len(DATA)))
    try:
        with HttpClient(TIMEOUTS, CONNECTIONS, politeness) as client:
            fetching = Fetch(client, [Location(url)], partial, politeness, NEVER)
            fetching.fetch([Extent(0, 100_000)])  # the head
            fetching.fetch([Extent(0, len(DATA))])
            assert (root / number / "x.sra").read_bytes() == DATA
        return ""
    except HttpError as error:
        return error.reason
    finally:
        partial.close()


def fetch_in_threads(root: Path, url: str, pause: float) -> None:
    """Run several fetches in this process; write how each of them ended."""

    def run(number: str) -> None:
        (root / f"{number}.end").write_text(fetch(root, url, number, pause))

    threads = [threading.Thread(target=run, args=(f"{os.getpid()}-{n}",)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fetch_in_processes(root: Path, url: str, pause: float = 60.0) -> list[str]:
    """Return how the fetches of all threads of all processes ended."""
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=fetch_in_threads, args=(root, url, pause)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    ends = [path.read_text() for path in root.glob("*.end")]
    assert len(ends) == PROCESSES * THREADS
    return ends


def test_sixteen_workers_in_four_processes_have_no_more_connections_than_allowed(tmp_path: Path) -> None:
    server = ArchiveServer({"x": DATA}, latency=0.01)
    with server.serving():
        assert set(fetch_in_processes(tmp_path, f"{server.url}/x")) == {""}
    assert server.sent == PROCESSES * THREADS * len(DATA)
    assert 1 < server.most_connected <= CONNECTIONS, "idle connections count too"


@pytest.mark.parametrize("status", [429, 503])
def test_sixteen_workers_back_off_together_and_go_on_after_the_pause(status: int, tmp_path: Path) -> None:
    refused: list[float] = []

    def refuse_once(request: Request) -> Fate:
        if request.number == 7:
            refused.append(time.monotonic())
            return Fate(status=status, headers={"Retry-After": "4"})
        return Fate()

    server = ArchiveServer({"x": DATA}, latency=0.01)
    server.fate = refuse_once
    with server.serving():
        ends = fetch_in_processes(tmp_path, f"{server.url}/x")
        assert set(ends) <= {"", Reason.RATE_LIMITED}
        assert ends.count(Reason.RATE_LIMITED) > PROCESSES
        during_the_pause = [r for r in server.requests if refused[0] < r.at < refused[0] + 3.9]
        assert len(during_the_pause) < CONNECTIONS, "only those that were on their way"
        limit = Politeness(tmp_path / "rates").rate_limit(server.url)
        until(lambda: not limit.paused_for(), "the pause is over")
        assert fetch(tmp_path, f"{server.url}/x", "later", 60.0) == ""


def test_client_gives_a_connection_back_that_another_waits_for(tmp_path: Path) -> None:
    server = ArchiveServer({"x": DATA})
    politeness = Politeness(tmp_path / "rates", 1)
    ended = threading.Event()

    def ask() -> None:
        with HttpClient(TIMEOUTS, 1, politeness) as other, other.request("GET", f"{server.url}/x") as answer:
            assert b"".join(answer.body) == DATA
        ended.set()

    with server.serving(), HttpClient(TIMEOUTS, 1, politeness) as client:
        with client.request("GET", f"{server.url}/x") as answer:
            assert b"".join(answer.body) == DATA
        thread = threading.Thread(target=ask)
        thread.start()
        until(politeness.slots(server.url).is_wanted, "it waits")
        started = time.monotonic()
        while not ended.is_set() and time.monotonic() < started + 60 * TURN:
            with client.request("GET", f"{server.url}/x") as answer:
                b"".join(answer.body)
        assert ended.is_set()
        thread.join()
    assert server.most_connected == 1


def test_idle_connections_are_closed_on_demand(tmp_path: Path) -> None:
    server = ArchiveServer({"x": DATA})
    with server.serving(), HttpClient(TIMEOUTS, 2, Politeness(tmp_path, 2)) as client:
        for _ in range(2):
            with client.request("GET", f"{server.url}/x") as answer:
                b"".join(answer.body)
        assert (server.connected, server.most_connected) == (1, 1), "the connection is used again"
        client.close_idle()
        until(lambda: server.connected == 0, "it is closed")
        with client.request("GET", f"{server.url}/x") as answer:
            assert b"".join(answer.body) == DATA


def test_cancelled_client_waits_for_no_connection(tmp_path: Path) -> None:
    politeness = Politeness(tmp_path, 1)
    with politeness.slots("http://localhost:1/x").taken(), HttpClient(TIMEOUTS, 1, politeness) as client:
        cancelled = Cancellation(lambda: True)
        with pytest.raises(Cancelled), client.request("GET", "http://localhost:1/x", cancellation=cancelled):
            pass
