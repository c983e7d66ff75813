"""Kill a process while it fetches an archive, at a random instant; what it has saved must not be fetched again.

    python -m tests.faults.fetch_kills [ROUNDS [SEED]]

In each round a home computes a run from a server on loopback, and one of these is killed with SIGKILL: the process of
`--now`, the daemon's worker, or the daemon.  Then the job continues.  No byte that the map of the archive named at the
kill may be requested again, the signature must equal the reference, and no process or file may be left.
"""

import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.support.archive_server import ArchiveServer, Request
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf
from wort_cli.pipeline.archives.kar import Extent

ROUNDS = 20
RUN = "SRR000001"
VICTIMS = ("now", "worker", "daemon")
RATE = 700_000
"""Bytes a second of the server until the kill."""
NEEDED = 0.47
"""The share of the archive that is fetched."""


def main() -> None:
    """Run many rounds; print the seed and a line for each round."""
    given = [int(word) for word in sys.argv[1:]]
    rounds, seed = (*given, *(ROUNDS, random.SystemRandom().randrange(10**6))[len(given) :])
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="wort-kills-") as directory:
        root = Path(directory)
        shelf = Shelf(root / "shelf")
        for number in range(rounds):
            victim = VICTIMS[number % len(VICTIMS)]
            home = Home(root / f"home-{number}")
            line = kill_while_fetching(home, shelf, victim, random.Random(seed + number).random())
            home.end()
            print(f"round {number + 1} of {rounds}: {line}", flush=True)


def kill_while_fetching(home: Home, shelf: Shelf, victim: str, share: float) -> str:
    """Run one round, with a kill after a share of the fetch; return what happened, in a sentence.

    Raises AssertionError if a promise is broken.
    """
    archive = shelf.with_qualities()
    server = ArchiveServer({RUN: archive.read_bytes()}, total_rate=RATE)
    home.env |= {
        "WORT_DOWNLOAD": "columns",
        "WORT_LOCATOR_URL": f"{server.url}/sdl/2/retrieve",
        "WORT_MIRRORS": "off",
        "WORT_JOBS": "1",
    }
    delay = share * NEEDED * archive.stat().st_size / RATE
    with server.serving():
        if victim == "now":
            with home.running("compute", RUN, "--now") as process:
                wait_for_instant(server, delay)
                process.signal(signal.SIGKILL)
        else:
            home("compute", RUN).expect(0)
            home("daemon", "start").expect(0)
            wait_for_instant(server, delay)
            kill(home, victim)
        saved = saved_extents(home)
        first_after = len(server.requests)
        server.total_rate = 0.0
        if victim == "now":
            home("compute", RUN, "--now").expect(0)
        else:
            if victim == "daemon":
                home.until_idle()
                home("daemon", "start").expect(0)
            home.until_job(RUN, "done")
            home("daemon", "stop").expect(0)
        again = [request for request in server.requests[first_after:] if is_within(request, saved)]
    assert again == [], f"{victim}: fetched again: {again}"
    assert home.signature(RUN) == shelf.reference(archive, RUN), f"{victim}: another signature"
    home.until_idle()
    assert home.leftovers() == []
    kept = sum(extent.size for extent in saved)
    return f"killed the {victim} after {delay:.2f} s; {kept} bytes were saved, none was fetched again"


def wait_for_instant(server: ArchiveServer, delay: float) -> None:
    """Wait until the archive has been fetched for so many seconds."""
    until(lambda: any(request.method == "GET" for request in server.requests), "the fetch begins", 60, 0.005)
    time.sleep(delay)


def kill(home: Home, victim: str) -> None:
    """Kill the daemon, or the worker that runs the job."""
    if victim == "daemon":
        pid = home.daemon_pid()
    else:
        (recorded,) = home.path.glob("work/*/attempt-*/processes.json")
        pid = json.loads(recorded.read_text())["worker"]["pid"]
    (process,) = [process for process in home.processes() if process.pid == pid]
    process.kill()


def saved_extents(home: Home) -> list[Extent]:
    """Return what the map of the archive names; nothing if there is no map yet."""
    found = [json.loads(path.read_text())["arrived"] for path in home.path.glob("work/*/archive/*.map")]
    return [Extent(offset, size) for arrived in found for offset, size in arrived]


def is_within(request: Request, extents: list[Extent]) -> bool:
    """Return whether a request asks for bytes of the archive that are in one of the extents."""
    return request.method == "GET" and any(
        request.first < extent.end and request.last >= extent.offset for extent in extents
    )


if __name__ == "__main__":
    main()
