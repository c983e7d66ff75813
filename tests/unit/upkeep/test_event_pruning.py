"""Pruning of events does not change any decision."""

import json

import pytest

from tests.support.builders import published, request
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy, reasons_counted_with
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.model.job_result import JobResult
from wort_cli.upkeep.event_pruning import prune

PATIENT = RetryPolicy(tries=10_000, delay=0.0, max_delay=0.0)


def job_of(ledger: Ledger, name: str = "SRR000001") -> int:
    (answer,) = ledger.jobs.enqueue([request(name)])
    assert answer.job_id is not None
    return answer.job_id


def fail(ledger: Ledger, job_id: int, times: int) -> None:
    for _ in range(times):
        job = ledger.attempts.claim(job_id, "me", 60)
        assert job is not None
        failure = Failure(Reason.NETWORK, "again")
        assert ledger.attempts.finish(JobResult(job_id, job.attempt, failure=failure), PATIENT) is JobState.WAITING


def done(ledger: Ledger, job_id: int) -> None:
    job = ledger.attempts.claim(job_id, "me", 60)
    assert job is not None
    assert ledger.attempts.finish(JobResult(job_id, job.attempt, published(str(job.name))), PATIENT) is JobState.DONE


def failures(ledger: Ledger, job_id: int) -> int:
    row = ledger.storage.row("count_failures", id=job_id, reasons=json.dumps(reasons_counted_with(Reason.NETWORK)))
    assert row is not None
    return int(row["n"])


def test_each_job_keeps_its_first_and_newest_events(ledger: Ledger) -> None:
    many, few = job_of(ledger), job_of(ledger, "SRR000002")
    fail(ledger, many, 50)
    fail(ledger, few, 2)
    before, untouched = ledger.jobs.events(many), ledger.jobs.events(few)
    assert sum(prune(ledger.storage, 20, 10**6)) == len(before) - 19
    kept = ledger.jobs.events(many)
    assert kept == [before[0], *before[-18:]]
    assert ledger.jobs.events(few) == untouched
    assert sum(prune(ledger.storage, 20, 10**6)) == 0


def test_retries_are_still_counted_from_the_last_request(ledger: Ledger) -> None:
    job_id = job_of(ledger)
    fail(ledger, job_id, 40)
    ledger.jobs.cancel([job_id])
    ledger.jobs.retry([job_id])
    asked = ledger.jobs.events(job_id)[-1]
    fail(ledger, job_id, 4)
    assert failures(ledger, job_id) == 4
    assert sum(prune(ledger.storage, 6, 10**6)) > 0
    assert asked in ledger.jobs.events(job_id)
    assert 1 <= failures(ledger, job_id) <= 4
    assert len(ledger.jobs.events(job_id)) == 6


def test_oldest_events_of_ended_jobs_are_removed_first(ledger: Ledger) -> None:
    ended = [job_of(ledger, f"SRR{number:06d}") for number in range(300)]
    live = job_of(ledger, "SRR999999")
    fail(ledger, live, 10)
    for job_id in ended:
        done(ledger, job_id)
    waiting = ledger.jobs.events(live)
    assert sum(prune(ledger.storage, 100, 600)) > 0
    assert ledger.jobs.events(live) == waiting
    assert [event.after for event in ledger.jobs.events(ended[0])] == ["done"]
    assert all(ledger.jobs.events(job_id)[-1].after == "done" for job_id in ended)
    assert ledger.storage.select("SELECT count(*) AS n FROM events", {})[0]["n"] <= 600


@pytest.mark.parametrize("keep", [1, 3, 100])
def test_ledger_without_jobs_has_nothing_to_prune(ledger: Ledger, keep: int) -> None:
    assert sum(prune(ledger.storage, keep, 1)) == 0
