"""Attempts: claiming a job, leases, progress, results, and retries."""

import time
from dataclasses import replace
from typing import Any

import pytest

from tests.support.builders import provenance, published
from tests.support.job_states import (
    ENDS,
    NAME,
    POLICY,
    PROGRESS,
    REASONS,
    enqueue,
    fail,
    in_state,
    moves,
    queued,
    result,
    snapshot,
)
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState, Progress
from wort_cli.model.job_result import JobResult
from wort_cli.model.provenance import Trust


def test_next_jobs_are_ordered_by_priority_then_age(ledger: Ledger) -> None:
    low, first, second, high = (queued(ledger, f"SRR00000{n}", p) for n, p in enumerate([-1, 0, 0, 5]))
    assert ledger.jobs.next_jobs(10) == [high, first, second, low]
    assert ledger.jobs.next_jobs(2) == [high, first]
    assert ledger.jobs.next_jobs(0) == []


def test_claimed_job_has_an_owner_and_a_lease(ledger: Ledger) -> None:
    job_id = queued(ledger)
    job = ledger.attempts.claim(job_id, "me", 60)
    assert job is not None
    assert (job.state, job.attempt, job.owner) == (JobState.RUNNING, 1, "me")
    assert abs((job.lease_until or 0) - time.time() - 60) < 30
    assert job.started_at is not None
    (claim,) = ledger.attempts.running()
    assert (claim.job_id, claim.attempt, claim.owner, claim.lease_until) == (job_id, 1, "me", job.lease_until)
    assert ledger.jobs.next_jobs(10) == []


@pytest.mark.parametrize("state", ["running", *ENDS])
def test_job_that_is_not_queued_cannot_be_claimed(ledger: Ledger, state: str) -> None:
    job_id = in_state(ledger, state)
    before = snapshot(ledger)
    assert ledger.attempts.claim(job_id, "you", 60) is None
    assert ledger.attempts.claim(999, "you", 60) is None
    assert snapshot(ledger) == before


def test_claim_queues_a_waiting_job_first(ledger: Ledger) -> None:
    job_id = in_state(ledger, "waiting")
    job = ledger.attempts.claim(job_id, "me", 60)
    assert job is not None
    assert (job.state, job.attempt, job.wait_until, job.reason) == (JobState.RUNNING, 2, None, None)
    assert moves(ledger, job_id)[-2:] == [("waiting", "queued"), ("queued", "running")]


def test_signature_of_a_done_job_is_in_the_catalog(ledger: Ledger) -> None:
    job_id = in_state(ledger, "done")
    job = ledger.jobs.get(job_id)
    assert (job.state, job.reason, job.owner, job.lease_until) == (JobState.DONE, None, "", None)
    assert job.ended_at is not None
    record = ledger.catalog.get(NAME, "sra-v1")
    assert record is not None
    assert (record.name, record.digest, record.trust, record.size) == (NAME, "d" * 64, Trust.COMPUTED, 99)
    assert record.provenance == provenance()
    assert ledger.catalog.count() == 1
    assert ledger.catalog.get(NAME, "sra-v2") is None


def test_result_with_a_signature_of_another_run_fails_the_job(ledger: Ledger) -> None:
    job_id = in_state(ledger, "running")
    assert ledger.attempts.finish(JobResult(job_id, 1, published("SRR000099")), POLICY) is JobState.WAITING
    assert ledger.catalog.count() == 0


def test_signature_of_others_does_not_replace_the_record(ledger: Ledger) -> None:
    """With the same content, the record keeps its trust and its provenance, and learns where the bytes are."""
    in_state(ledger, "done")
    before = ledger.catalog.get(NAME, "sra-v1")
    place: dict[str, Any] = {"path": "", "remote": "s3://b/x", "sha256": "e" * 64}
    theirs = replace(published(NAME, host="elsewhere"), trust=Trust.PUBLISHED, **place)
    other = replace(theirs, provenance=replace(theirs.provenance, digest="b" * 64))
    assert not ledger.catalog.accepts(other)
    assert not ledger.catalog.record(other)
    assert ledger.catalog.get(NAME, "sra-v1") == before
    assert ledger.catalog.record(theirs)
    after = ledger.catalog.get(NAME, "sra-v1")
    assert before is not None
    assert after == replace(before, **place)
    assert ledger.catalog.record(other, force=True)


def test_recomputed_signature_replaces_the_record(ledger: Ledger) -> None:
    in_state(ledger, "done")
    job_id = enqueue(ledger, force=True).job_id or 0
    ledger.attempts.claim(job_id, "me", 60)
    ledger.attempts.finish(result(ledger, job_id, "done", published(digest="e" * 64)), POLICY)
    record = ledger.catalog.get(NAME, "sra-v1")
    assert record is not None
    assert record.digest == "e" * 64
    assert ledger.catalog.count() == 1


@pytest.mark.parametrize("state", ["failed", "unavailable", "waiting"])
def test_job_that_did_not_succeed_has_a_reason(ledger: Ledger, state: str) -> None:
    job = ledger.jobs.get(in_state(ledger, state))
    assert (job.reason, job.message) == (REASONS[state], "it went wrong")
    assert (job.owner, job.lease_until) == ("", None)
    assert (job.ended_at is None) is (job.wait_until is not None) is (state == "waiting")


def test_empty_result_counts_as_a_crash(ledger: Ledger) -> None:
    job_id = in_state(ledger, "running")
    assert ledger.attempts.finish(JobResult(job_id, 1), POLICY) is JobState.WAITING
    assert ledger.jobs.get(job_id).reason is Reason.TOOL_CRASH


@pytest.mark.parametrize(("reason", "tries"), [(Reason.TOOL_CRASH, 3), (Reason.INTERRUPTED, 3), (Reason.NETWORK, 10)])
def test_job_fails_permanently_after_its_last_try(ledger: Ledger, reason: Reason, tries: int) -> None:
    states = fail(ledger, queued(ledger), reason, tries)
    assert states == [JobState.WAITING] * (tries - 1) + [JobState.FAILED]


def test_denied_job_waits_if_the_bucket_accepted_signatures_before(ledger: Ledger) -> None:
    assert fail(ledger, queued(ledger, "SRR000001"), Reason.STORAGE_DENIED) == [JobState.FAILED]
    ledger.catalog.record(replace(published("SRR000002"), remote="s3://b/sigs/SRR000002.sig"))
    assert fail(ledger, queued(ledger, "SRR000003"), Reason.STORAGE_DENIED) == [JobState.WAITING]


def test_delay_grows_with_each_failure(ledger: Ledger) -> None:
    job_id, waits = queued(ledger), []
    for _ in range(4):
        fail(ledger, job_id, Reason.NETWORK)
        waits.append((ledger.jobs.get(job_id).wait_until or 0) - time.time())
    assert waits == pytest.approx([60, 120, 240, 480], abs=20)


def test_failures_of_an_outage_do_not_count_as_tries_of_a_timeout(ledger: Ledger) -> None:
    job_id = queued(ledger)
    for _ in range(POLICY.tries - 1):
        fail(ledger, job_id, Reason.NETWORK)
    assert fail(ledger, job_id, Reason.TIMEOUT) == [JobState.WAITING]
    assert (ledger.jobs.get(job_id).wait_until or 0) - time.time() < 2 * POLICY.delay


def test_crash_of_a_tool_does_not_count_if_the_attempt_finished_more_parts(ledger: Ledger) -> None:
    job_id = queued(ledger)
    failure = Failure(Reason.TOOL_CRASH, "fastq-dump crashed")
    states = []
    for work in (0, 3, 3, 5, 4):
        attempt = ledger.jobs.get(job_id).attempt + 1
        assert ledger.attempts.claim(job_id, "me", 60) is not None
        states.append(ledger.attempts.finish(JobResult(job_id, attempt, failure=failure, work=work), POLICY))
    assert [str(state) for state in states] == ["waiting", "queued", "waiting", "queued", "failed"]
    assert ledger.jobs.get(job_id).reason is Reason.TOOL_CRASH


def test_crashes_and_outages_are_counted_separately(ledger: Ledger) -> None:
    job_id = queued(ledger)
    assert fail(ledger, job_id, Reason.NETWORK, 5) == [JobState.WAITING] * 5
    assert fail(ledger, job_id, Reason.TOOL_CRASH, 2) == [JobState.WAITING] * 2
    assert fail(ledger, job_id, Reason.DISK_LOW, 4) == [JobState.WAITING] * 4
    assert fail(ledger, job_id, Reason.INTERRUPTED) == [JobState.FAILED]


@pytest.mark.parametrize("detail", ["a\0b", "\udcff", "\x1b[2J", "x" * 100_000, "größer\n漢"])
def test_any_text_can_be_stored_as_the_detail_of_a_failure(ledger: Ledger, detail: str) -> None:
    job_id = in_state(ledger, "running")
    assert (
        ledger.attempts.finish(JobResult(job_id, 1, failure=Failure(Reason.CORRUPT, detail)), POLICY) is JobState.FAILED
    )
    assert len(ledger.jobs.get(job_id).message) >= len(detail)
    assert ledger.jobs.events(job_id)[-1].message == ledger.jobs.get(job_id).message


def test_requeued_job_is_queued_without_counting_a_failure(ledger: Ledger) -> None:
    job_id = in_state(ledger, "running")
    assert ledger.attempts.requeue(job_id, 1, "the daemon was stopped")
    job = ledger.jobs.get(job_id)
    assert (job.state, job.owner, job.lease_until, job.ended_at) == (JobState.QUEUED, "", None, None)
    event = ledger.jobs.events(job_id)[-1]
    assert (event.reason, event.message, event.attempt) == ("interrupted", "the daemon was stopped", 1)
    assert fail(ledger, job_id, Reason.INTERRUPTED, 3) == [JobState.WAITING, JobState.WAITING, JobState.FAILED]


@pytest.mark.parametrize("late", ["done", "failed", "waiting", "unavailable"])
def test_late_message_of_an_ended_attempt_changes_nothing(ledger: Ledger, late: str) -> None:
    job_id = in_state(ledger, "running")
    outcome = result(ledger, job_id, late)
    ledger.attempts.requeue(job_id, 1, "lost")
    for _ in range(2):
        before = snapshot(ledger)
        assert ledger.attempts.finish(outcome, POLICY) is None
        assert ledger.attempts.requeue(job_id, 1, "again") is False
        assert ledger.attempts.extend_lease(job_id, 1, 600) is False
        ledger.attempts.report_progress(job_id, 1, PROGRESS)
        assert snapshot(ledger) == before
        ledger.attempts.claim(job_id, "me", 60)  # now the second attempt runs
    assert ledger.jobs.get(job_id).attempt == 2


def test_a_result_counts_once(ledger: Ledger) -> None:
    job_id = in_state(ledger, "running")
    outcome = result(ledger, job_id, "waiting")
    assert ledger.attempts.finish(outcome, POLICY) is JobState.WAITING
    before = snapshot(ledger)
    assert ledger.attempts.finish(outcome, POLICY) is None
    assert snapshot(ledger) == before


def test_only_the_current_attempt_extends_the_lease(ledger: Ledger) -> None:
    job_id = in_state(ledger, "running")
    assert ledger.attempts.extend_lease(job_id, 1, 6000)
    assert (ledger.jobs.get(job_id).lease_until or 0) > time.time() + 5000
    assert ledger.attempts.extend_lease(job_id, 2, 6000) is False


def test_waiting_jobs_are_queued_when_due(ledger: Ledger) -> None:
    soon, later = queued(ledger, "SRR000001"), queued(ledger, "SRR000002")
    for job_id, policy in ((soon, RetryPolicy(delay=0.0)), (later, RetryPolicy(delay=1000.0))):
        ledger.attempts.claim(job_id, "me", 60)
        assert ledger.attempts.finish(result(ledger, job_id, "waiting"), policy) is JobState.WAITING
    assert ledger.attempts.wake() == 1
    assert ledger.jobs.get(soon).state is JobState.QUEUED
    assert ledger.jobs.get(soon).wait_until is None
    assert ledger.jobs.get(later).state is JobState.WAITING
    assert ledger.attempts.wake() == 0


# ---- progress


def test_progress_belongs_to_the_running_attempt_and_is_deleted_at_its_end(ledger: Ledger) -> None:
    job_id = in_state(ledger, "running")
    ledger.attempts.report_progress(job_id, 1, Progress("resolving", 0, 0, 0, 1.0))
    ledger.attempts.report_progress(job_id, 1, PROGRESS)
    assert ledger.jobs.get(job_id).progress == replace(PROGRESS, first_spots=PROGRESS.spots, first_at=PROGRESS.at)
    assert PROGRESS.fraction == 0.5
    ledger.attempts.finish(result(ledger, job_id, "waiting"), POLICY)
    assert ledger.jobs.get(job_id).progress is None
    assert ledger.storage.select("SELECT * FROM progress", {}) == []


@pytest.mark.parametrize("state", ["queued", "waiting", *ENDS])
def test_progress_of_a_job_that_is_not_running_is_ignored(ledger: Ledger, state: str) -> None:
    job_id = in_state(ledger, state)
    for attempt in range(3):
        ledger.attempts.report_progress(job_id, attempt, PROGRESS)
    ledger.attempts.report_progress(999, 1, PROGRESS)
    assert ledger.jobs.get(job_id).progress is None


@pytest.mark.parametrize(
    ("spots", "total", "fraction"), [(0, 0, 0.0), (5, 0, 0.0), (0, 10, 0.0), (10, 10, 1.0), (11, 10, 1.0)]
)
def test_fraction_is_between_0_and_1(spots: int, total: int, fraction: float) -> None:
    assert Progress("sketching", spots, total, 0, 0.0).fraction == fraction


@pytest.mark.parametrize(
    ("reports", "left"),
    [
        ([], None),
        ([("sketching", 40, 10)], None),  # of an attempt that began where the last one ended
        ([("sketching", 40, 10), ("sketching", 60, 20)], 20),
        ([("sketching", 0, 1), ("sketching", 40, 10), ("sketching", 60, 20)], 20),  # loops were compiled first
        ([("fetching", 10, 1), ("fetching", 90, 5)], 0.5),
        ([("fetching", 99, 5), ("sketching", 10, 10)], None),
        ([("sketching", 40, 10), ("sketching", 60, 20), ("sketching", 20, 21), ("sketching", 30, 31)], 70),
        ([("sketching", 40, 10), ("sketching", 100, 20)], None),
    ],
)
def test_time_left_follows_from_the_rate_of_the_present_stage(
    ledger: Ledger, reports: list[tuple[str, int, int]], left: float | None
) -> None:
    job_id = in_state(ledger, "running")
    ledger.attempts.report_progress(job_id, 1, Progress("locating", 0, 0, 0, 0.0))
    for stage, spots, at in reports:
        ledger.attempts.report_progress(job_id, 1, Progress(stage, spots, 100, 0, float(at)))
    progress = ledger.jobs.get(job_id).progress
    assert progress is not None
    assert progress.seconds_left == (None if left is None else pytest.approx(left))


# ---- reading


def test_lost_worker_does_not_count_if_the_job_advanced(ledger: Ledger) -> None:
    job_id = queued(ledger)
    for n, (work, advanced) in enumerate([(3, True), (3, False), (2, False), (4, True)], 1):
        if ledger.jobs.get(job_id).state is not JobState.RUNNING:
            assert ledger.attempts.claim(job_id, "me", 60) is not None
        attempt = ledger.jobs.get(job_id).attempt
        assert ledger.attempts.requeue_if_advanced(job_id, attempt, work, "the worker died") is advanced, n
    assert moves(ledger, job_id)[-1] == ("running", "queued")
    assert not ledger.attempts.requeue_if_advanced(job_id, 1, 100, "too late")
    assert ledger.jobs.get(job_id).reason is Reason.INTERRUPTED


def test_jobs_that_have_not_ended_are_found_among_others(ledger: Ledger) -> None:
    states = ("queued", "running", "waiting", *ENDS)
    numbers = {state: in_state(ledger, state, f"SRR{n:06d}") for n, state in enumerate(states, 1)}
    live = {numbers[state] for state in ("queued", "running", "waiting")}
    assert ledger.jobs.live_among([*numbers.values(), 9_999]) == live
