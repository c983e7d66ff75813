"""`wort follow` keeps projects and queries, and queues their new runs; a list that fails queues nothing."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.run_lists import RunLists
from tests.support.run_lists import run as listed
from tests.support.small_world import SmallWorld
from wort_cli.api.following import run_follow
from wort_cli.commands.shared.checking.follow_check import check_follows
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.follow import Follow, FollowReason, next_time
from wort_cli.pipeline.projects.answers import Recorded

PROJECT, QUERY = "PRJNA1", "tax_eq(408170)"


@pytest.fixture
def lists() -> Iterator[RunLists]:
    with RunLists().serving() as server:
        server.put(PROJECT, [listed(1), listed(2)])
        server.ena[QUERY] = [listed(5), listed(6)]
        yield server


@pytest.fixture
def home(tmp_path: Path, lists: RunLists) -> SmallWorld:
    made = SmallWorld(tmp_path / "home", None)
    made.env |= {**lists.env, "WORT_S3_BUCKET": ""}
    return made


def follow(home: SmallWorld, *words: str, code: int = 0) -> list[dict[str, Any]]:
    done = home("follow", *words, "--json")
    assert done.code == code, done.err
    return list(json.loads(done.out)["follows"])


def jobs(home: SmallWorld) -> list[str]:
    return sorted(job["name"] for job in json.loads(home("status", "--all", "--json").out)["jobs"])


def the_follow(home: SmallWorld) -> Follow:
    ledger = Ledger(home.settings.ledger_file)
    (found,) = ledger.follows.all()
    ledger.close()
    return found


def test_runs_are_queued_and_new_ones_when_they_appear(home: SmallWorld, lists: RunLists) -> None:
    (added,) = follow(home, PROJECT.lower(), "-g", "gut", "--priority", "3")
    assert (added["selection"], added["runs"], added["new"], added["queued"]) == (PROJECT, 2, 2, 2)
    (job, _) = json.loads(home("status", "-g", "gut", "--json").out)["jobs"]
    assert (job["priority"], job["groups"]) == (3, ["gut"])
    assert f"selected by {PROJECT}" in home("logs", "SRR000001").out
    lists.put(PROJECT, [listed(1), listed(2), listed(3)])
    (again,) = follow(home, "run")
    assert (again["runs"], again["new"], again["queued"], again["jobs"]) == (3, 1, 1, 3)
    assert jobs(home) == ["SRR000001", "SRR000002", "SRR000003"]
    (kept,) = follow(home, "ls")
    assert (kept["jobs"], kept["failures"], kept["reason"]) == (3, 0, None)
    assert home.record("SRR000003") is None


def test_query_of_ena_is_the_reason_of_selection(home: SmallWorld) -> None:
    (added,) = follow(home, "add", QUERY)
    assert (added["selection"], added["queued"]) == (QUERY, 2)
    assert f"selected by {QUERY}" in home("logs", "SRR000005").out


def test_run_that_was_requested_before_is_not_new(home: SmallWorld) -> None:
    """A run that was cancelled, or that failed, is not requested again each day."""
    home("compute", "SRR000001", "--now")
    home("compute", "SRR000002")
    home("cancel", "SRR000002")
    (added,) = follow(home, PROJECT)
    assert (added["runs"], added["new"], added["queued"]) == (2, 0, 0)
    home("forget", "--state", "done")
    assert follow(home, "run")[0]["new"] == 0


@pytest.mark.parametrize("answer", [Recorded("down", 503), Recorded("<html>"), Recorded("x", cut=True)])
def test_list_that_fails_queues_nothing_and_is_tried_again_by_backoff(
    home: SmallWorld, lists: RunLists, answer: Recorded
) -> None:
    lists.answers = lambda path: answer
    for failures in (1, 2, 3):
        before = time.time()
        (row,) = follow(home, *([PROJECT] if failures == 1 else ["run"]), code=75)
        assert (row["reason"], row["queued"], row["failures"], row["runs"]) == ("not-listed", 0, failures, None)
        pause = the_follow(home).next_at - before
        assert 60 * 2 ** (failures - 1) <= pause < 60 * 2 ** (failures - 1) + 60
    assert jobs(home) == []
    done = home("follow", "ls")
    assert (done.code, f"{PROJECT}: the runs of {PROJECT} are not known: ENA: " in done.err) == (0, True)
    assert "follow problem 1" in home("status").out
    document = json.loads(home("status", "--json").out)
    assert document["follows"]["number"] == 1
    assert document["follows"]["problems"][0].startswith(f"{PROJECT}: the runs of")
    (finding,) = check_follows(home.settings)
    assert (finding.state, PROJECT in finding.detail, "wort follow run 1" in finding.fix) == ("warning", True, True)
    lists.answers = lambda path: None
    (row,) = follow(home, "run")
    assert (row["reason"], row["failures"], row["queued"]) == (None, 0, 2)
    assert the_follow(home).next_at > time.time() + 80_000
    assert [finding.state for finding in check_follows(home.settings)] == ["ok"]


def test_page_that_breaks_off_queues_nothing_of_it(home: SmallWorld, lists: RunLists) -> None:
    """NCBI's list is complete, and ENA's breaks off: what is listed is queued, and the rest is asked for soon."""
    lists.ena[PROJECT] = [listed(1), listed(2), listed(9)]
    lists.answers = lambda path: Recorded("run_accession\nSRR", cut=True) if "/ena/" in path else None
    (row,) = follow(home, PROJECT)
    assert (row["reason"], row["queued"], row["failures"]) == ("incomplete-list", 2, 1)
    assert the_follow(home).next_at < time.time() + 120
    lists.answers = lambda path: None
    assert follow(home, "run")[0]["queued"] == 1


def test_more_new_runs_than_allowed_queue_none(home: SmallWorld, lists: RunLists) -> None:
    done = home("follow", PROJECT, "--most", "1")
    assert (done.code, "2 new runs are more than 1; nothing was queued" in done.err) == (1, True)
    assert jobs(home) == []
    assert follow(home, "ls")[0]["reason"] == "too-many"
    assert follow(home, "run", PROJECT, "--most", "2")[0]["queued"] == 2


def test_record_without_runs_is_followed_until_it_has_some(home: SmallWorld, lists: RunLists) -> None:
    (row,) = follow(home, "PRJNA7")
    assert (row["reason"], row["queued"]) == ("no-runs", 0)
    assert home("status").out.count("follow problem") == 0
    lists.put("PRJNA7", [listed(7)])
    assert follow(home, "run", "PRJNA7")[0]["queued"] == 1


def test_only_runs_since_a_day_are_queued(home: SmallWorld, lists: RunLists) -> None:
    assert follow(home, PROJECT, "--since", "2020-02-04")[0]["new"] == 0
    assert follow(home, PROJECT, "--since", "2020-02-03")[0]["queued"] == 2
    assert [row["since"] for row in follow(home, "ls")] == ["2020-02-03"]


def test_dry_run_changes_nothing(home: SmallWorld) -> None:
    (row,) = follow(home, PROJECT, "-n")
    assert (row["number"], row["new"], row["queued"]) == (None, 2, 0)
    assert (follow(home, "ls"), jobs(home)) == ([], [])
    follow(home, PROJECT)
    before = the_follow(home)
    follow(home, "run", "-n")
    assert the_follow(home) == before


def test_what_is_removed_is_followed_no_longer(home: SmallWorld) -> None:
    follow(home, PROJECT)
    follow(home, QUERY)
    assert [row["selection"] for row in follow(home, "rm", "1")] == [PROJECT]
    assert [row["selection"] for row in follow(home, "rm", QUERY)] == [QUERY]
    assert follow(home, "ls") == []
    assert len(jobs(home)) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("SRR000001",), "neither the accession"),
        (("lss",), "neither the accession"),
        ((PROJECT, "--since", "yesterday"), "is not a date"),
        ((PROJECT, "--since", "2026-02-31"), "is not a date"),
        (("rm", PROJECT), "is not followed"),
        (("rm",), "nothing is named"),
        (("run", "9"), "is not followed"),
        (("run", "--due", PROJECT), "--due excludes a selection"),
        ((PROJECT, "--accept-public"), "switched off"),
    ],
)
def test_invalid_command_line_is_refused_in_a_sentence(home: SmallWorld, words: tuple[str, ...], said: str) -> None:
    done = home("follow", *words)
    assert (done.code, said in done.err) == (2, True)
    assert follow(home, "ls") == []


def test_nothing_is_followed_if_nobody_may_be_asked(home: SmallWorld) -> None:
    home.env |= {"WORT_ENA_URL": "off", "WORT_ENTREZ_URL": "off"}
    done = home("follow", PROJECT)
    assert (done.code, "cannot be listed" in done.err) == (2, True)
    assert follow(home, "ls") == []


def test_only_what_is_due_is_looked_for(home: SmallWorld, lists: RunLists) -> None:
    follow(home, PROJECT)
    ledger = Ledger(home.settings.ledger_file)
    assert ledger.follows.due(time.time(), 24) == []
    assert [one.id for one in ledger.follows.due(time.time() + 86_500, 24)] == [1]
    assert [one.id for one in ledger.follows.due(time.time() - 86_400, 24)] == [1], "a clock set back"
    ledger.close()


def test_two_processes_do_not_ask_at_once(home: SmallWorld, lists: RunLists) -> None:
    follow(home, PROJECT)
    old = the_follow(home)
    requests = len(lists.requests)
    ledger = Ledger(home.settings.ledger_file)
    assert ledger.follows.start(old, time.time() + 60)
    assert run_follow(old, ledger, home.settings) is None
    assert ledger.follows.all()[0].reason is FollowReason.INTERRUPTED
    assert len(lists.requests) == requests
    ledger.close()


def test_same_selection_is_followed_once_for_a_profile(home: SmallWorld) -> None:
    follow(home, PROJECT)
    follow(home, PROJECT, "-g", "later")
    (row,) = follow(home, "ls")
    assert row["group"] == "later"
    (home.root / "config.toml").write_text("[profiles.fine]\nk = [31]\nscaled = 100\n")
    follow(home, PROJECT, "--profile", "fine")
    assert [row["profile"] for row in follow(home, "ls")] == ["sra-v1", "fine"]


def test_pause_grows_up_to_that_of_a_success() -> None:
    pauses = [next_time(0.0, n, FollowReason.NOT_LISTED, 1000.0, 60.0) for n in (1, 2, 5, 6, 99)]
    assert pauses == [60.0, 120.0, 960.0, 1000.0, 1000.0]
    assert next_time(0.0, 0, None, 1000.0, 60.0) == next_time(0.0, 3, FollowReason.TOO_MANY, 1000.0, 60.0) == 1000.0


def test_what_is_known_of_the_runs_is_recorded(home: SmallWorld) -> None:
    follow(home, PROJECT)
    ledger = Ledger(home.settings.ledger_file)
    known = ledger.runs.get("SRR000001")
    assert known is not None
    assert known.organism == "human gut metagenome"
    assert ledger.jobs.named(Accession("SRR000001"))[0].source.location == ""
    ledger.close()
