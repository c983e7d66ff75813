"""Tests of enqueueing in batches: answers keep their order, and a refused request stops all batches."""

from pathlib import Path

import pytest

from tests.support.builders import PROFILE, request
from wort_cli.api import enqueueing
from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.api.waiting import FirstClaim
from wort_cli.errors import UsageError
from wort_cli.foreground import own_name
from wort_cli.ledger.jobs import EnqueueStatus, JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobRequest, JobState
from wort_cli.settings import load_settings


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Return an empty ledger; the command enqueues two runs per batch."""
    monkeypatch.setattr(enqueueing, "BATCH_SIZE", 2)
    monkeypatch.setattr(enqueueing, "BATCH_PAUSE", 0.0)
    return Ledger(tmp_path / "ledger.db")


def finder(ledger: Ledger, tmp_path: Path) -> SignatureFinder:
    return SignatureFinder(load_settings({"WORT_HOME": str(tmp_path)}), ledger, PROFILE)


RUNS = [request(f"SRR{number}") for number in range(100_001, 100_006)]


def enqueue(
    ledger: Ledger, tmp_path: Path, requests: list[JobRequest], *, dry_run: bool = False
) -> list[EnqueueStatus]:
    answers = enqueueing.enqueue(ledger, finder(ledger, tmp_path), requests, force=False, dry_run=dry_run)
    assert [answer.source for answer in answers] == [each.source for each in requests]
    return [answer.status for answer in answers]


def test_answers_of_all_batches_are_in_the_order_of_the_requests(ledger: Ledger, tmp_path: Path) -> None:
    assert enqueue(ledger, tmp_path, RUNS, dry_run=True) == [EnqueueStatus.QUEUED] * 5
    assert ledger.jobs.ids(JobFilter()) == []
    assert enqueue(ledger, tmp_path, RUNS[3:4]) == [EnqueueStatus.QUEUED]
    assert enqueue(ledger, tmp_path, RUNS) == [EnqueueStatus.QUEUED] * 3 + [EnqueueStatus.LIVE, EnqueueStatus.QUEUED]
    assert len(ledger.jobs.ids(JobFilter())) == 5


def test_refused_request_stops_the_command_before_the_first_batch(ledger: Ledger, tmp_path: Path) -> None:
    mine, others = (request("mine", tmp_path / name / "mine.sra") for name in ("here", "there"))
    ledger.jobs.enqueue([mine])
    with pytest.raises(UsageError, match="mine"):
        enqueue(ledger, tmp_path, [*RUNS, others])
    assert len(ledger.jobs.ids(JobFilter())) == 1


def test_job_of_now_is_claimed_before_a_daemon_can_see_it_queued(ledger: Ledger, tmp_path: Path) -> None:
    """Another connection, as a daemon has, looks for queued jobs at the end of the transaction."""
    claim = FirstClaim(ledger, load_settings({"WORT_HOME": str(tmp_path)}))
    enqueueing.enqueue(ledger, finder(ledger, tmp_path), RUNS[:2], force=False, dry_run=False, claim=claim)
    assert claim.job is not None
    assert (claim.job.name, claim.job.state, claim.job.owner) == ("SRR100001", JobState.RUNNING, own_name())
    daemon = Ledger(tmp_path / "ledger.db")
    assert [daemon.jobs.get(job_id).name for job_id in daemon.jobs.next_jobs(10)] == ["SRR100002"]
    daemon.close()


def test_job_that_runs_elsewhere_is_not_claimed_but_the_next_one_is(ledger: Ledger, tmp_path: Path) -> None:
    (first,) = ledger.jobs.enqueue(RUNS[:1])
    ledger.attempts.claim(first.job_id or 0, "daemon", 60)
    claim = FirstClaim(ledger, load_settings({"WORT_HOME": str(tmp_path)}))
    enqueueing.enqueue(ledger, finder(ledger, tmp_path), RUNS[:2], force=False, dry_run=False, claim=claim)
    assert claim.job is not None
    assert claim.job.name == "SRR100002"
    assert ledger.jobs.get(first.job_id or 0).owner == "daemon"


def test_refused_request_leaves_no_claim(ledger: Ledger, tmp_path: Path) -> None:
    mine, others = (request("mine", tmp_path / name / "mine.sra") for name in ("here", "there"))
    claim = FirstClaim(ledger, load_settings({"WORT_HOME": str(tmp_path)}))
    with pytest.raises(UsageError):
        enqueueing.enqueue(ledger, finder(ledger, tmp_path), [mine, others], force=False, dry_run=False, claim=claim)
    assert claim.job is None
    assert ledger.jobs.ids(JobFilter()) == []
