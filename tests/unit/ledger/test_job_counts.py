"""Counts of jobs and transitions: they equal the numbers of rows, and are read without counting rows."""

import time
from pathlib import Path
from random import Random

import pytest

from tests.support.builders import published, request
from wort_cli.ledger.database import queries
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.model.job_result import JobResult

POLICY = RetryPolicy(delay=1e-6, crash_delay=1e-6)
REASONS = (Reason.NETWORK, Reason.DISK_LOW, Reason.NOT_FOUND, Reason.CORRUPT, Reason.TOOL_CRASH)


def counted(ledger: Ledger, table: str, columns: str) -> dict[tuple[str, str], int]:
    rows = ledger.storage.select(f"SELECT {columns}, count(*) AS n FROM {table} GROUP BY {columns}", {})
    return {(str(first), str(second)): int(n) for first, second, n in (row.values() for row in rows)}


@pytest.mark.parametrize("seed", range(3))
def test_counts_equal_the_numbers_of_rows(ledger: Ledger, seed: int) -> None:
    random = Random(seed)
    ledger.jobs.enqueue([request(f"SRR{number:06d}") for number in range(30)])
    ids = list(range(1, 31))
    for _ in range(300):
        job_id = random.choice(ids)
        job = ledger.attempts.claim(job_id, "me", 60)
        if job is None:
            random.choice((ledger.jobs.retry, ledger.jobs.cancel))([job_id])
        elif random.random() < 0.3:
            ledger.attempts.finish(JobResult(job_id, job.attempt, published=published(str(job.name))), POLICY)
        elif random.random() < 0.2:
            ledger.attempts.requeue(job_id, job.attempt, "x")
        else:
            ledger.attempts.finish(JobResult(job_id, job.attempt, failure=Failure(random.choice(REASONS), "x")), POLICY)
        ledger.attempts.wake()
    assert {(str(state), reason): n for (state, reason), n in ledger.counts.by_state().items()} == counted(
        ledger, "jobs", "state, reason"
    )
    assert ledger.counts.transitions() == counted(ledger, "events", "after, reason")
    ended = ledger.counts.ended_since(0)
    assert {(str(state), reason): n for (state, reason), n in ended.items()} == {
        key: n
        for key, n in ledger.counts.transitions().items()
        if key[0] in ("done", "failed", "unavailable", "waiting")
    }
    assert ledger.counts.ended_since(time.time() + 10) == {}


def test_transition_counts_outlive_pruned_events(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    ledger.storage.connection.execute("DELETE FROM events")
    assert ledger.counts.transitions() == {("queued", ""): 1}


def test_oldest_queued_time_is_that_of_the_oldest_job_still_queued(ledger: Ledger) -> None:
    assert ledger.counts.oldest_queued_at() is None
    before = time.time()
    ledger.jobs.enqueue([request("SRR000001"), request("SRR000002")])
    ledger.attempts.claim(1, "me", 60)
    since = ledger.counts.oldest_queued_at()
    assert since is not None
    assert before <= since <= time.time()
    ledger.jobs.cancel([2])
    assert ledger.counts.oldest_queued_at() is None


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("count_states", {}),
        ("transition_counts", {}),
        ("ended_since", {"since": 0}),
        ("oldest_queued", {}),
        ("waiting_message", {"reason": "network"}),
        ("ended_otherwise", {"since": 0, "reason": "network"}),
    ],
)
def test_count_queries_do_not_scan_jobs_or_events(ledger: Ledger, query: str, values: dict[str, object]) -> None:
    plan = ledger.storage.select(f"EXPLAIN QUERY PLAN {queries()[query]}", values)
    # Only the first entry of jobs_queued is read; later versions of SQLite need the index alone.
    first = ("SCAN jobs USING INDEX jobs_queued", "SCAN jobs USING COVERING INDEX jobs_queued")
    large = ("SCAN jobs", "SCAN events")
    scans = [row["detail"] for row in plan if row["detail"].startswith(large) and not row["detail"].startswith(first)]
    assert scans == [], plan


def test_counting_many_jobs_takes_constant_time(tmp_path: Path) -> None:
    """With 100,000 jobs, to keep the test short; a linear scan would take 10 ms."""
    ledger = Ledger(tmp_path / "ledger.db")
    connection = ledger.storage.connection
    connection.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
        "INSERT INTO jobs (name, profile, created_at) SELECT 'SRR' || (1000000 + i), 'sra-v1', 1.0 FROM n"
    )
    assert ledger.counts.by_state() == {(JobState.QUEUED, ""): 100_000}
    fastest = min(timed(ledger) for _ in range(20))
    ledger.close()
    assert fastest < 0.005


def timed(ledger: Ledger) -> float:
    started = time.thread_time()
    ledger.counts.by_state(), ledger.counts.transitions(), ledger.counts.oldest_queued_at()
    return time.thread_time() - started


def fail(ledger: Ledger, job_id: int, reason: Reason, detail: str) -> None:
    job = ledger.attempts.claim(job_id, "me", 60)
    assert job is not None
    ledger.attempts.finish(JobResult(job_id, job.attempt, failure=Failure(reason, detail)), RetryPolicy(patience=1000))


def test_only_reason_is_found_until_an_attempt_ends_in_another_way(ledger: Ledger) -> None:
    refused = Reason.LOCATOR_REFUSED
    ledger.jobs.enqueue([request(f"SRR00000{n}") for n in range(1, 4)])
    assert ledger.counts.only_reason_since(0, refused) == ""
    fail(ledger, 1, refused, "no location")
    fail(ledger, 2, refused, "old software")
    assert ledger.counts.only_reason_since(0, refused) == "old software"
    fail(ledger, 3, Reason.NETWORK, "no route")
    assert ledger.counts.only_reason_since(0, refused) == ""
    assert ledger.counts.only_reason_since(time.time() + 1, refused) == "old software"
    ledger.jobs.cancel([1, 2])
    assert ledger.counts.only_reason_since(time.time() + 1, refused) == ""
