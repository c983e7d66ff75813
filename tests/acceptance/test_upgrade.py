"""A home of an earlier release is taken over: the new daemon opens its ledger and runs its queued and running jobs."""

import pytest

from tests.support.homes import Home
from tests.support.ledgers import make_ledger_of_release_0_1, make_ledger_of_version, tables_of
from tests.support.shelf import Shelf

QUEUED, RUNNING = "SRR000001", "SRR000002"
"""Jobs that every one of the earlier ledgers has in this state."""


@pytest.mark.parametrize("version", [1, "0.1.0"])
def test_daemon_takes_up_the_jobs_of_an_earlier_ledger(home: Home, shelf: Shelf, version: int | str) -> None:
    home.path.mkdir()
    if isinstance(version, int):
        make_ledger_of_version(home.ledger, version)
    else:
        make_ledger_of_release_0_1(home.ledger)
    before = tables_of(home.ledger)
    archive = shelf.archive("one_read")
    for run in (QUEUED, RUNNING):
        home.keep(run, archive)
    home("status", QUEUED).expect(0)
    attempts = {name: home.job(name).attempt for name in (QUEUED, RUNNING)}
    events = {name: home.events(name) for name in (QUEUED, RUNNING)}
    assert events[RUNNING][-1] == ("running", "")

    home("daemon", "start").expect(0)
    home("wait", QUEUED, RUNNING).expect(0)
    for name in (QUEUED, RUNNING):
        assert home.signature(name) == shelf.reference(archive, name)
        assert home.job(name).attempt == attempts[name] + 1
    assert home.events(QUEUED) == [*events[QUEUED], ("running", ""), ("done", "")]
    assert home.events(RUNNING) == [*events[RUNNING], ("queued", "interrupted"), ("running", ""), ("done", "")]

    home("daemon", "stop").expect(0)
    after = tables_of(home.ledger)
    ended = {row["id"] for row in before["jobs"] if row["state"] in ("done", "failed", "unavailable", "cancelled")}
    assert [row["state"] for row in after["jobs"] if row["id"] in ended] == [
        row["state"] for row in before["jobs"] if row["id"] in ended
    ]
    names = {row["name"] for row in before["signatures"]}
    assert {row["name"] for row in after["signatures"]} >= names
    assert [row["digest"] for row in after["signatures"] if row["name"] in names] == [
        row["digest"] for row in before["signatures"]
    ]
