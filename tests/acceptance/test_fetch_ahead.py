"""While some jobs are sketched, the archives of the next ones are fetched."""

from typing import Any

from tests.acceptance.test_download import serving
from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf
from wort_cli.system.slots import Slots

FIRST, SECOND, THIRD = "SRR000001", "SRR000002", "SRR000003"


def stages(home: Home) -> dict[str, str]:
    """Return the stage of each running job."""
    rows = home.select("SELECT name, stage FROM jobs JOIN progress ON job_id = id WHERE state = 'running'")
    return {str(name): str(stage) for name, stage in rows}


def leases_are_renewed(home: Home, before: list[Any]) -> bool:
    """Return whether each job has a longer lease than before."""
    now = dict(home.select("SELECT name, lease_until FROM jobs WHERE state = 'running'"))
    return all(now[name] > lease for name, lease in before)


def test_next_jobs_are_fetched_and_wait_until_it_is_their_turn(home: Home, shelf: Shelf) -> None:
    archive = shelf.with_qualities()
    home.env |= {"WORT_JOBS": "1", "WORT_FETCH_AHEAD": "1", "WORT_LEASE": "9"}
    with serving(home, archive) as server:
        server.files |= dict.fromkeys((SECOND, THIRD), archive.read_bytes())
        another_job = Slots(home.path / "slots", 1).take(place="0")
        home("compute", FIRST, SECOND, THIRD).expect(0)
        home("daemon", "start").expect(0)
        until(lambda: stages(home) == {FIRST: "ready", SECOND: "ready"}, "two archives are there")
        leases = home.select("SELECT name, lease_until FROM jobs WHERE state = 'running'")
        until(lambda: leases_are_renewed(home, leases), "those that wait renew their leases")
        assert home.job(THIRD).state == "queued"
        assert home("status", FIRST, "--json").records()[0]["stage"] == "ready"
        another_job()
        home("wait", "--all").expect(0)
    ends = home.select("SELECT name FROM events JOIN jobs ON job_id = jobs.id WHERE after = 'done' ORDER BY events.id")
    assert [name for (name,) in ends] == [FIRST, SECOND, THIRD]
    for name in (FIRST, SECOND, THIRD):
        assert home.signature(name) == shelf.reference(archive, name)
    assert home("daemon", "stop").code == 0
    assert home.leftovers() == []


def test_job_that_waits_for_its_turn_can_be_cancelled(home: Home, shelf: Shelf) -> None:
    home.env |= {"WORT_JOBS": "1"}
    with serving(home, shelf.with_qualities()):
        another_job = Slots(home.path / "slots", 1).take(place="0")
        home("compute", FIRST).expect(0)
        home("daemon", "start").expect(0)
        until(lambda: stages(home) == {FIRST: "ready"}, "the archive is there")
        home("cancel", FIRST).expect(0)
        until(lambda: not list(home.path.glob("work/*/archive")), "the archive is removed")
        another_job()
    assert Slots(home.path / "slots", 1).is_wanted() is False
