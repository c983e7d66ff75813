"""Projects: `wort runs`, and `wort compute` with the accession of a project, against ENA and NCBI on loopback."""

from collections.abc import Iterator

import pytest

from tests.support.homes import Home
from tests.support.polling import until
from tests.support.run_lists import RunLists, run
from wort_cli.pipeline.projects.answers import Recorded


@pytest.fixture
def lists(home: Home) -> Iterator[RunLists]:
    with RunLists().serving() as server:
        server.put("PRJNA1", [run(1), run(2), run(3)])
        home.env |= server.env
        yield server


def test_runs_of_a_project_are_listed_and_enqueued(home: Home, lists: RunLists) -> None:
    lists.ncbi["PRJNA1"] = [run(1), run(2), run(4)]
    listed = home("runs", "prjna1", "--json").expect(0, "PRJNA1: 4 runs, 600.0 kbp", "1 only ENA, 1 only NCBI").json()
    assert [row["run"] for row in listed["runs"]] == ["SRR000001", "SRR000002", "SRR000003", "SRR000004"]
    assert listed["listings"][0] | {"listed_at": "", "remarks": []} == {
        **{"selection": "PRJNA1", "runs": 4, "bases": 600_000, "bytes": 6 << 20, "listed_at": "", "ena": 3, "ncbi": 3},
        **{"targets": [], "remarks": []},
    }
    lines = home("runs", "PRJNA1", "--csv").expect(0).out.splitlines()
    assert (lines[0].split(",")[:2], len(lines)) == (["run", "project"], 5)
    home("compute", "PRJNA1", "SRR000002", "-g", "gut").expect(0, "4 jobs in the queue")
    jobs = home("status", "-g", "gut", "--json").records()
    assert sorted(job["name"] for job in jobs) == ["SRR000001", "SRR000002", "SRR000003", "SRR000004"]
    assert "selected by PRJNA1" in home("logs", "SRR000001").out
    assert "selected by" not in home("logs", "SRR000002").out


def test_more_runs_than_the_limit_need_a_confirmation(home: Home, lists: RunLists) -> None:
    refused = home("compute", "PRJNA1", "--limit", "2").expect(2, "3 runs would be computed, more than 2", "--yes")
    assert refused.out == ""
    assert home("status", "--all", "--json").records() == []
    home("compute", "PRJNA1", "--limit", "2", "--yes").expect(0, "3 jobs")


def test_nothing_is_enqueued_without_a_list(home: Home, lists: RunLists) -> None:
    lists.answers = lambda path: Recorded("down", 503)
    home("compute", "SRR000009", "PRJNA1").expect(75, "the runs of PRJNA1 are not known", "503")
    home("runs", "PRJNA1").expect(75, "NCBI: it has an internal error")
    lists.answers = lambda path: None
    home("compute", "SRX999999").expect(3, "ENA and NCBI list no runs of SRX999999")
    home("runs", "PRJNA").expect(2, "not the accession of something that has runs")
    assert home("status", "--all", "--json").records() == []


def test_estimate_knows_the_bases_of_a_project(home: Home, lists: RunLists) -> None:
    planned = home("compute", "PRJNA1", "-n", "--json").expect(0).json()
    assert (planned["estimate"]["bases"], planned["estimate"]["archive_size"]) == (450_000, 6 << 20)
    assert home("status", "--all", "--json").records() == []


def test_daemon_queues_the_new_runs_of_what_is_followed(home: Home, lists: RunLists) -> None:
    """A list that fails is tried again, by backoff; nothing of it is queued."""
    home.env |= {"WORT_RETRY_DELAY": "1", "WORT_FOLLOW_HOURS": "0.0003"}
    lists.answers = lambda path: Recorded("down", 503)
    home("follow", "PRJNA1", "-g", "gut").expect(75, "the runs of PRJNA1 are not known", "no daemon is running")
    assert home.jobs() == []
    home("daemon", "pause")
    home("daemon", "start")
    asked = len(lists.requests)
    until(lambda: len(lists.requests) > asked, "the daemon asks again")
    assert home.jobs() == []
    lists.answers = lambda path: None
    until(lambda: len(home.jobs()) == 3, "three runs are queued")
    lists.put("PRJNA1", [run(1), run(2), run(3), run(4)])
    until(lambda: len(home.jobs()) == 4, "the new run is queued")
    until(lambda: followed(home) == [(4, None)], "its result is recorded")
    home("daemon", "stop")


def followed(home: Home) -> list[tuple[int, str | None]]:
    """Return the number of jobs of each follow, and why its last list failed, or that it is asked for just now."""
    return [(row["jobs"], row["reason"]) for row in home("follow", "ls", "--json").records()]
