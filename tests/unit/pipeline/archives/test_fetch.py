"""Ranges of an archive are fetched over several connections, from whichever location serves them rightly."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.archive_server import ArchiveServer, Fate, Request
from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.fetch import Fetch, check_range
from wort_cli.pipeline.archives.http import HttpClient, HttpError, Timeouts
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.locator import Location
from wort_cli.pipeline.archives.partial import Identity, PartialArchive
from wort_cli.pipeline.archives.politeness import Politeness, host_key
from wort_cli.system.cancellation import NEVER, Cancellation, Cancelled

DATA = os.urandom(5_000_000)
WHOLE = Extent(0, len(DATA))
QUICK = Timeouts(connect=1.0, silence=0.5, total=5.0)
PATIENT = Timeouts(connect=60.0, silence=60.0, total=300.0)
"""For servers that do what they should, however busy this machine is."""


def fetch(
    root: Path,
    urls: list[str],
    extents: list[Extent] | None = None,
    cancellation: Cancellation = NEVER,
    connections: int = 3,
    pause: float = 60.0,
    timeouts: Timeouts = PATIENT,
) -> Fetch:
    partial = PartialArchive(root / "x.sra", Identity(len(DATA), "0" * 32))
    try:
        politeness = Politeness(root / "rates", connections, pause=pause)
        with HttpClient(timeouts, connections, politeness) as client:
            fetching = Fetch(client, [Location(url) for url in urls], partial, politeness, cancellation)
            fetching.fetch(extents or [WHOLE])
            return fetching
    finally:
        partial.close()


def content(root: Path) -> bytes:
    return (root / "x.sra").read_bytes()


def test_whole_archive_arrives_by_several_connections(tmp_path: Path) -> None:
    with ArchiveServer({"x": DATA}, latency=0.05).serving() as server:
        assert fetch(tmp_path, [f"{server.url}/x"]).used == [f"{server.url}/x"]
        assert content(tmp_path) == DATA
        assert 1 < server.most_open <= 3


def test_only_what_is_missing_is_requested(tmp_path: Path) -> None:
    with ArchiveServer({"x": DATA}).serving() as server:
        fetch(tmp_path, [f"{server.url}/x"], [Extent(1000, 500), Extent(2_000_000, 10)])
        assert sorted((r.first, r.last) for r in server.requests) == [(1000, 1499), (2_000_000, 2_000_009)]
        fetch(tmp_path, [f"{server.url}/x"])
        assert server.sent == len(DATA)
        assert content(tmp_path) == DATA


LIES: dict[str, Callable[[Request], Fate]] = {
    "range ignored": lambda r: Fate(status=200, body=DATA),
    "other range": lambda r: Fate(headers={"Content-Range": f"bytes {r.first + 1}-{r.last + 1}/{len(DATA)}"}),
    "other size": lambda r: Fate(headers={"Content-Range": f"bytes {r.first}-{r.last}/{len(DATA) + 1}"}),
    "no range": lambda r: Fate(without=("Content-Range",)),
    "too short": lambda r: Fate(body=b"x" * 10),
    "too long": lambda r: Fate(change=lambda body: body + b"x"),
    "too long without a length": lambda r: Fate(change=lambda body: body + b"x", without=("Content-Length",)),
    "gzip": lambda r: Fate(headers={"Content-Encoding": "gzip"}),
    "page of HTML": lambda r: Fate(status=200),
    "404": lambda r: Fate(status=404),
    "410": lambda r: Fate(status=410),
    "expired": lambda r: Fate(status=403),
    "503": lambda r: Fate(status=503),
    "416": lambda r: Fate(status=416),
    "redirect to another host": lambda r: Fate(status=302, headers={"Location": "http://127.0.0.2:1/x"}),
    "silent": lambda r: Fate(silent=True),
    "dies halfway": lambda r: Fate(cut=0.0),
    "changes": lambda r: Fate(headers={"ETag": f'"{r.number}"'}),
}


@pytest.mark.parametrize("case", LIES)
def test_location_that_fails_or_lies_is_left_for_the_next(tmp_path: Path, case: str) -> None:
    bad, good = ArchiveServer({"x": DATA}), ArchiveServer({"x": DATA})
    bad.fate = LIES[case]
    with bad.serving(), good.serving():
        fetch(tmp_path, [f"{bad.url}/x", f"{good.url}/x"], timeouts=QUICK)
        assert content(tmp_path) == DATA
        assert good.requests


@pytest.mark.parametrize("case", LIES)
def test_without_another_location_the_reason_is_given_in_time(tmp_path: Path, case: str) -> None:
    server = ArchiveServer({"x": DATA})
    server.fate = LIES[case]
    started = time.monotonic()
    with server.serving(), pytest.raises(HttpError) as caught:
        fetch(tmp_path, [f"{server.url}/x"], timeouts=QUICK)
    assert caught.value.reason is (Reason.NO_DATA if case in ("404", "410") else Reason.NETWORK)
    assert "127.0.0.1" in caught.value.detail
    assert caught.value.detail.isprintable()
    assert time.monotonic() - started < 60


def test_answer_without_length_is_read_to_its_end(tmp_path: Path) -> None:
    server = ArchiveServer({"x": DATA})
    server.fate = lambda request: Fate(without=("Content-Length",))
    with server.serving():
        fetch(tmp_path, [f"{server.url}/x"])
        assert content(tmp_path) == DATA


def test_connection_that_breaks_again_and_again_costs_only_the_rest(tmp_path: Path) -> None:
    server = ArchiveServer({"x": DATA})
    server.fate = lambda request: Fate(cut=0.5) if request.last - request.first > 200_000 else Fate()
    with server.serving():
        fetch(tmp_path, [f"{server.url}/x"])
        assert content(tmp_path) == DATA
        assert server.sent < 1.1 * len(DATA)


def test_bytes_beyond_a_chunk_never_reach_the_file(tmp_path: Path) -> None:
    server = ArchiveServer({"x": DATA})
    server.fate = LIES["too long without a length"]
    with server.serving(), pytest.raises(HttpError):
        fetch(tmp_path, [f"{server.url}/x"], [Extent(0, 1000)])
    assert content(tmp_path)[1000:] == bytes(len(DATA) - 1000)


def test_host_that_asks_for_fewer_requests_is_left_alone_by_all(tmp_path: Path) -> None:
    server = ArchiveServer({"x": DATA})
    server.fate = lambda request: Fate(status=429, headers={"Retry-After": "30"})
    with server.serving():
        with pytest.raises(HttpError) as caught:
            fetch(tmp_path, [f"{server.url}/x"])
        assert caught.value.reason is Reason.RATE_LIMITED
        asked = len(server.requests)
        assert asked <= 3
        with pytest.raises(HttpError, match=r"asked for fewer requests; \d+ seconds"):
            fetch(tmp_path, [f"{server.url}/x"])
        assert len(server.requests) == asked


def test_connections_to_a_host_are_bounded_over_all_fetches(tmp_path: Path) -> None:
    server = ArchiveServer({"x": DATA}, latency=0.05)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            root = tmp_path / str(number)
            partial = PartialArchive(root / "x.sra", Identity(len(DATA)))
            politeness = Politeness(tmp_path / "rates", 4)
            with HttpClient(PATIENT, 4, politeness) as client:
                Fetch(client, [Location(f"{server.url}/x")], partial, politeness, NEVER).fetch([WHOLE])
            partial.close()
            assert content(root) == DATA
        except BaseException as error:
            errors.append(error)

    with server.serving():
        threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert server.most_open <= 4


def test_cancelled_fetch_keeps_what_arrived(tmp_path: Path) -> None:
    server = ArchiveServer({"x": DATA}, rate=500_000)
    with server.serving(), pytest.raises(Cancelled):
        fetch(tmp_path, [f"{server.url}/x"], cancellation=Cancellation(lambda: server.sent > 500_000))
    partial = PartialArchive(tmp_path / "x.sra", Identity(len(DATA), "0" * 32))
    assert partial.arrived_bytes() > 100_000
    partial.close()


@pytest.mark.parametrize("status", [408, 500, 503, 522])
def test_location_that_fails_once_is_asked_again(tmp_path: Path, status: int) -> None:
    server = ArchiveServer({"x": DATA})
    server.fate = lambda request: Fate(status=status) if request.number == 1 else Fate()
    with server.serving():
        fetch(tmp_path, [f"{server.url}/x"], connections=1)
        assert content(tmp_path) == DATA


def test_full_disk_is_an_error_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wort_cli.pipeline.archives.partial.os.pwrite", full)
    with ArchiveServer({"x": DATA}).serving() as server, pytest.raises(OSError, match="No space left"):
        fetch(tmp_path, [f"{server.url}/x"])


@pytest.mark.parametrize(
    "value", ["", "bytes 0-9", "bytes */100", "bytes 0-8/100", "bytes 1-10/100", "bytes 0-9/99", "lines 0-9/100"]
)
def test_range_that_was_not_asked_for_is_refused(value: str) -> None:
    check_range({"content-range": "bytes 0-9/100"}, Extent(0, 10), 100, "https://h/x")
    check_range({"content-range": "bytes 0-9/*"}, Extent(0, 10), 100, "https://h/x")
    with pytest.raises(HttpError):
        check_range({"content-range": value}, Extent(0, 10), 100, "https://h/x")


def test_key_of_a_host_is_a_plain_file_name() -> None:
    assert host_key("https://sra-pub-run-odp.s3.amazonaws.com/x") == "sra-pub-run-odp.s3.amazonaws.com-https"
    assert "/" not in host_key("http://[::1]:8080/../../x")


def test_cancelled_fetch_does_not_wait_for_a_silent_server(tmp_path: Path) -> None:
    partial = PartialArchive(tmp_path / "x.sra", Identity(len(DATA), "0" * 32))
    with ArchiveServer({"x": DATA}).serving() as server, contextlib.closing(partial):
        server.fate = lambda request: Fate(silent=True) if request.first else Fate()
        with HttpClient(PATIENT, 3) as client:
            token = Cancellation(lambda: partial.arrived_bytes() > 0 and any(r.first for r in server.requests))
            fetching = Fetch(client, [Location(f"{server.url}/x")], partial, Politeness(tmp_path / "rates", 3), token)
            started = time.monotonic()
            with pytest.raises(Cancelled):
                fetching.fetch([WHOLE])
            assert time.monotonic() - started < PATIENT.silence
    assert PartialArchive(tmp_path / "x.sra", Identity(len(DATA), "0" * 32)).arrived_bytes() > 0
