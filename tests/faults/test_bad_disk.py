"""A disk becomes unwritable: the daemon reports it, loses nothing, and continues when the disk is repaired."""

from typing import Any

import pytest

from tests.faults.machine import bad_disk
from tests.support.gate import Gate
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf

RUNS = ("SRR000001", "SRR000002")
HASTY = {"WORT_RETRY_DELAY": "0.5", "WORT_LEASE": "6"}


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("ledger.db", "disk I/O error"),
        ("queue.db", "a turn failed"),  # after `lease` seconds without a heartbeat
        ("work", "Input/output error"),
        ("signatures", "Input/output error"),
        ("", ""),  # the whole home: the daemon cannot write its health file, and the status finds an old one
    ],
)
def test_daemon_survives_a_disk_that_breaks_during_a_run(
    part: str, sentence: str, home: Home, shelf: Shelf, gate: Gate
) -> None:
    disk = bad_disk(home, part)
    for run in RUNS:
        home.keep(run, shelf.archive())
    home("daemon", "start", env={**gate.env, "WORT_JOBS": "1", **HASTY}).expect(0)
    daemon = home.daemon_pid()
    home("compute", *RUNS).expect(0)
    gate.until_reached()
    with disk.broken():
        gate.open()
        status = until(lambda: unhealthy(home, sentence), f"the daemon is unhealthy: {sentence}")
        assert status["state"] == "unhealthy"
        if part in ("work", "signatures"):
            assert ("waiting", "disk-error") in home.events(RUNS[0])
            until(
                lambda: unhealthy(home).get("held", "").startswith("no job starts: nothing can be written to"),
                "it is held",
            )
    home("wait", *RUNS, timeout=300).expect(0)
    assert home.daemon_pid() == daemon
    for run in RUNS:
        assert home.signature(run) == shelf.reference(shelf.archive(), run)
    until(lambda: home("daemon", "status").code == 0, "the daemon is healthy")


def unhealthy(home: Home, sentence: str = "") -> dict[str, Any]:
    """Return the status of the daemon if it is unhealthy, and a problem has the sentence."""
    done = home("daemon", "status", "--json")
    status = dict(done.json()) if done.code == 1 else {}
    return status if any(sentence in problem for problem in status.get("problems", ())) else {}


@pytest.mark.parametrize("words", [("compute", RUNS[1]), ("cancel", RUNS[0]), ("retry", RUNS[0])])
def test_command_that_cannot_write_fails_and_changes_nothing(words: tuple[str, ...], home: Home, shelf: Shelf) -> None:
    disk = bad_disk(home, "ledger.db")
    home("compute", RUNS[0]).expect(0)
    before = home.jobs()
    with disk.broken():
        home(*words).expect(75, "cannot be written")
    assert home.jobs() == before
