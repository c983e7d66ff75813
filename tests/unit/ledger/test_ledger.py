"""Jobs: requests, transitions and their events, and the rules that triggers enforce."""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.builders import provenance, published, request
from wort_cli.errors import NoSuchJob, UsageError
from wort_cli.ledger.jobs import Enqueued, EnqueueStatus, JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.accession import parse_name
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobRequest, JobState, Progress
from wort_cli.model.job_result import JobResult, Published
from wort_cli.model.provenance import Trust

POLICY = RetryPolicy()
NAME = parse_name("SRR139146")
ENDS = ["done", "failed", "unavailable", "cancelled"]
STATES = [str(state) for state in JobState]
LEGAL = {
    ("queued", "running"), ("running", "done"), ("running", "failed"), ("running", "unavailable"),
    ("running", "queued"), ("running", "waiting"), ("waiting", "queued"), ("queued", "cancelled"),
    ("running", "cancelled"), ("waiting", "cancelled"), ("failed", "queued"), ("unavailable", "queued"),
    ("cancelled", "queued"),
}  # fmt: skip
WAY = {
    "queued": [],
    "running": ["running"],
    "waiting": ["running", "waiting"],
    "done": ["running", "done"],
    "failed": ["running", "failed"],
    "unavailable": ["running", "unavailable"],
    "cancelled": ["cancelled"],
}
REASONS = {"failed": Reason.CORRUPT, "unavailable": Reason.NOT_FOUND, "waiting": Reason.NETWORK}
PROGRESS = Progress("sketching", 5, 10, 500, 1700000000.0)


def submit(ledger: Ledger, asked: JobRequest | None = None, *, force: bool = False, dry_run: bool = False) -> Enqueued:
    (answer,) = ledger.jobs.enqueue([asked or request()], force=force, dry_run=dry_run)
    return answer


def queued(ledger: Ledger, name: str = "SRR139146", priority: int = 0, group: str = "") -> int:
    """Enqueue a new job; return its id."""
    answer = submit(ledger, request(name, None, priority, group))
    assert answer.status is EnqueueStatus.QUEUED
    assert answer.job_id is not None
    return answer.job_id


def result(ledger: Ledger, job_id: int, state: str, made: Published | None = None) -> JobResult:
    """Return the result that ends the running attempt in a state."""
    attempt = ledger.jobs.get(job_id).attempt
    if state == "done":
        return JobResult(job_id, attempt, published=made or published(str(ledger.jobs.get(job_id).name)))
    return JobResult(job_id, attempt, failure=Failure(REASONS[state], "it went wrong"))


def move(ledger: Ledger, job_id: int, state: str) -> None:
    """Bring a queued job to a state."""
    for step in WAY[state]:
        if step == "running":
            assert ledger.attempts.claim(job_id, "me", 60)
        elif step == "cancelled":
            assert ledger.jobs.cancel([job_id]) == 1
        else:
            assert ledger.attempts.finish(result(ledger, job_id, step), POLICY) == step


def in_state(ledger: Ledger, state: str, name: str = "SRR139146") -> int:
    job_id = queued(ledger, name)
    move(ledger, job_id, state)
    assert ledger.jobs.get(job_id).state == state
    return job_id


def fail(ledger: Ledger, job_id: int, reason: Reason, times: int = 1) -> list[JobState | None]:
    """Run and fail a queued or waiting job; return the state after each failure."""
    states = []
    for _ in range(times):
        job = ledger.attempts.claim(job_id, "me", 60)
        assert job is not None
        states.append(ledger.attempts.finish(JobResult(job_id, job.attempt, failure=Failure(reason, "again")), POLICY))
    return states


def moves(ledger: Ledger, job_id: int) -> list[tuple[str, str]]:
    return [(event.before, event.after) for event in ledger.jobs.events(job_id)]


def snapshot(ledger: Ledger) -> list[str]:
    """Return the whole content of the file."""
    return list(ledger.storage.connection.iterdump())


# ---- enqueue


def test_new_request_becomes_a_queued_job_with_its_values(ledger: Ledger, tmp_path: Path) -> None:
    answer = submit(ledger, request("mine", tmp_path / "x.sra", 7, "g"), force=True)
    assert (answer.status, answer.state) == (EnqueueStatus.QUEUED, JobState.QUEUED)
    assert answer.job_id is not None
    job = ledger.jobs.get(answer.job_id)
    assert (job.name, job.source.archive, job.profile) == ("mine", tmp_path / "x.sra", "sra-v1")
    assert (job.state, job.priority, job.group, job.force) == (JobState.QUEUED, 7, "g", True)
    assert (job.attempt, job.owner, job.reason) == (0, "", None)
    assert (job.lease_until, job.wait_until, job.started_at, job.ended_at, job.progress) == (None,) * 5
    assert abs(job.created_at - time.time()) < 60


def test_requests_are_answered_in_order(ledger: Ledger) -> None:
    names = ["SRR000003", "SRR000001", "SRR000002", "SRR000001"]
    answers = ledger.jobs.enqueue([request(name) for name in names])
    assert [answer.source.name for answer in answers] == names
    assert [answer.status for answer in answers] == [EnqueueStatus.QUEUED] * 3 + [EnqueueStatus.LIVE]
    assert answers[3].job_id == answers[1].job_id


@pytest.mark.parametrize("state", ["queued", "running", "waiting"])
@pytest.mark.parametrize("force", [False, True])
def test_request_for_a_live_job_returns_that_job(ledger: Ledger, state: str, force: bool) -> None:
    job_id = in_state(ledger, state)
    answer = submit(ledger, force=force)
    assert (answer.status, answer.job_id, answer.state) == (EnqueueStatus.LIVE, job_id, state)
    assert ledger.jobs.get(job_id).state == state
    assert sum(ledger.counts.by_state().values()) == 1


def test_second_request_for_a_live_job_raises_its_priority_and_sets_its_group(ledger: Ledger) -> None:
    job_id = queued(ledger)
    submit(ledger, request(priority=5, group="g"))
    submit(ledger, request(priority=-5, group="h"))
    job = ledger.jobs.get(job_id)
    assert (job.priority, job.group) == (5, "g")
    assert moves(ledger, job_id) == [("", "queued")]


def test_existing_signature_is_not_computed_again(ledger: Ledger) -> None:
    job_id = in_state(ledger, "done")
    answer = submit(ledger)
    assert (answer.status, answer.job_id, answer.state) == (EnqueueStatus.EXISTS, job_id, JobState.DONE)


def test_existing_signature_is_computed_again_with_force(ledger: Ledger) -> None:
    first = in_state(ledger, "done")
    answer = submit(ledger, force=True)
    assert answer.status is EnqueueStatus.QUEUED
    assert answer.job_id not in (first, None)
    assert ledger.jobs.get(first).state is JobState.DONE


def test_signature_stays_in_the_catalog_when_a_later_job_fails(ledger: Ledger) -> None:
    in_state(ledger, "done")
    again = submit(ledger, force=True).job_id
    assert again is not None
    move(ledger, again, "failed")
    assert submit(ledger).status is EnqueueStatus.EXISTS
    assert ledger.catalog.get(NAME, "sra-v1") is not None


def test_request_for_an_unavailable_run_returns_the_reason(ledger: Ledger) -> None:
    job_id = in_state(ledger, "unavailable")
    answer = submit(ledger)
    assert (answer.status, answer.job_id, answer.reason) == (EnqueueStatus.UNAVAILABLE, job_id, "not-found")
    assert ledger.jobs.get(job_id).state is JobState.UNAVAILABLE


def test_unavailable_run_is_requeued_with_force(ledger: Ledger) -> None:
    job_id = in_state(ledger, "unavailable")
    answer = submit(ledger, force=True)
    assert (answer.status, answer.job_id) == (EnqueueStatus.QUEUED, job_id)
    assert ledger.jobs.get(job_id).force


def test_unavailable_run_is_requeued_when_a_local_archive_is_given(ledger: Ledger, tmp_path: Path) -> None:
    job_id = in_state(ledger, "unavailable")
    answer = submit(ledger, request("SRR139146", tmp_path / "SRR139146.sra"))
    assert (answer.status, answer.job_id) == (EnqueueStatus.QUEUED, job_id)
    assert ledger.jobs.get(job_id).source.archive == tmp_path / "SRR139146.sra"


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_request_for_a_failed_job_requeues_that_job(ledger: Ledger, state: str, tmp_path: Path) -> None:
    job_id = in_state(ledger, state)
    answer = submit(ledger, request("SRR139146", tmp_path / "SRR139146.sra", 3, "g"))
    assert (answer.status, answer.job_id, answer.state) == (EnqueueStatus.QUEUED, job_id, JobState.QUEUED)
    job = ledger.jobs.get(job_id)
    assert (job.state, job.reason, job.message, job.ended_at) == (JobState.QUEUED, None, "", None)
    assert (job.priority, job.group, job.source.archive) == (3, "g", tmp_path / "SRR139146.sra")
    assert moves(ledger, job_id)[-1] == (state, "queued")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("force", [False, True])
def test_dry_run_returns_the_same_answers_and_changes_nothing(ledger: Ledger, state: str, force: bool) -> None:
    in_state(ledger, state)
    before = snapshot(ledger)
    wanted = [request(priority=9, group="g"), request("SRR000001")]
    dry = ledger.jobs.enqueue(wanted, force=force, dry_run=True)
    assert snapshot(ledger) == before
    real = ledger.jobs.enqueue(wanted, force=force)
    assert [answer.status for answer in dry] == [answer.status for answer in real]


def test_changed_local_archive_is_computed_again(ledger: Ledger, tmp_path: Path) -> None:
    archive = tmp_path / "x.sra"
    archive.write_bytes(b"first")
    asked = request("mine", archive)
    job_id = submit(ledger, asked).job_id
    assert job_id is not None
    assert ledger.attempts.claim(job_id, "me", 60)
    facts = archive.stat()
    made = published("mine", source=str(archive), source_size=facts.st_size, source_mtime=facts.st_mtime)
    assert ledger.attempts.finish(result(ledger, job_id, "done", made), POLICY) is JobState.DONE
    assert submit(ledger, asked).status is EnqueueStatus.EXISTS
    (tmp_path / "y.sra").write_bytes(b"first")
    assert submit(ledger, request("mine", tmp_path / "y.sra"), dry_run=True).status is EnqueueStatus.QUEUED
    archive.write_bytes(b"second")
    assert submit(ledger, asked).status is EnqueueStatus.QUEUED


def test_local_name_of_a_live_job_with_another_archive_is_refused_and_nothing_is_queued(
    ledger: Ledger, tmp_path: Path
) -> None:
    submit(ledger, request("mine", tmp_path / "x.sra"))
    before = snapshot(ledger)
    with pytest.raises(UsageError, match="mine"):
        ledger.jobs.enqueue([request("SRR000001"), request("mine", tmp_path / "y.sra")])
    assert snapshot(ledger) == before


def test_each_profile_of_a_run_has_its_own_job(ledger: Ledger) -> None:
    first = queued(ledger)
    other = JobRequest(request().source, "sra-v2")
    assert submit(ledger, other).job_id != first


# ---- cancel and retry


@pytest.mark.parametrize("state", STATES)
def test_live_job_can_be_cancelled(ledger: Ledger, state: str) -> None:
    job_id = in_state(ledger, state)
    live = JobState(state).is_live
    assert ledger.jobs.cancel([job_id, 999]) == int(live)
    assert ledger.jobs.get(job_id).state == ("cancelled" if live else state)
    assert (ledger.jobs.get(job_id).ended_at is not None) is True


def test_result_of_a_cancelled_attempt_is_ignored(ledger: Ledger) -> None:
    job_id = in_state(ledger, "running")
    late = result(ledger, job_id, "done")
    ledger.jobs.cancel([job_id])
    assert ledger.attempts.finish(late, POLICY) is None
    assert ledger.attempts.extend_lease(job_id, 1, 60) is False
    assert ledger.attempts.requeue(job_id, 1, "why") is False
    assert ledger.catalog.get(NAME, "sra-v1") is None


@pytest.mark.parametrize("state", STATES)
def test_job_that_ended_without_success_can_be_retried(ledger: Ledger, state: str) -> None:
    job_id = in_state(ledger, state)
    retriable = state in ("failed", "unavailable", "cancelled")
    assert ledger.jobs.retry([job_id, 999]) == int(retriable)
    assert ledger.jobs.get(job_id).state == ("queued" if retriable else state)


def test_only_the_newest_job_of_a_signature_is_retried(ledger: Ledger) -> None:
    failed = in_state(ledger, "failed")
    move(ledger, submit(ledger).job_id or 0, "done")
    again = submit(ledger, force=True).job_id
    assert again not in (failed, None)
    older, latest = failed, again or 0
    ledger.jobs.cancel([latest])
    assert ledger.jobs.retry([older, latest]) == 1
    assert ledger.jobs.get(latest).state is JobState.QUEUED


def test_retry_keeps_archive_priority_and_group(ledger: Ledger, tmp_path: Path) -> None:
    job_id = submit(ledger, request("mine", tmp_path / "x.sra", -5, "g")).job_id or 0
    ledger.jobs.cancel([job_id])
    ledger.jobs.retry([job_id])
    job = ledger.jobs.get(job_id)
    assert (job.source.archive, job.priority, job.group) == (tmp_path / "x.sra", -5, "g")


@pytest.mark.parametrize("end", ["cancelled", "failed", "unavailable"])
def test_retry_resets_the_number_of_failures(ledger: Ledger, end: str) -> None:
    job_id = queued(ledger)
    assert fail(ledger, job_id, Reason.TOOL_CRASH, 2) == [JobState.WAITING] * 2
    if end == "cancelled":
        ledger.jobs.cancel([job_id])
    else:
        fail(ledger, job_id, REASONS[end])
    assert ledger.jobs.get(job_id).state == end
    ledger.jobs.retry([job_id])
    assert fail(ledger, job_id, Reason.TOOL_CRASH, 3) == [JobState.WAITING, JobState.WAITING, JobState.FAILED]


# ---- claim, finish, requeue


def test_next_jobs_are_ordered_by_priority_then_age(ledger: Ledger) -> None:
    low, first, second, high = (queued(ledger, f"SRR00000{n}", p) for n, p in enumerate([-1, 0, 0, 5]))
    assert ledger.attempts.next_jobs(10) == [high, first, second, low]
    assert ledger.attempts.next_jobs(2) == [high, first]
    assert ledger.attempts.next_jobs(0) == []


def test_claimed_job_has_an_owner_and_a_lease(ledger: Ledger) -> None:
    job_id = queued(ledger)
    job = ledger.attempts.claim(job_id, "me", 60)
    assert job is not None
    assert (job.state, job.attempt, job.owner) == (JobState.RUNNING, 1, "me")
    assert abs((job.lease_until or 0) - time.time() - 60) < 30
    assert job.started_at is not None
    (claim,) = ledger.attempts.running()
    assert (claim.job_id, claim.attempt, claim.owner, claim.lease_until) == (job_id, 1, "me", job.lease_until)
    assert ledger.attempts.next_jobs(10) == []


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


def test_recomputed_signature_replaces_the_record(ledger: Ledger) -> None:
    in_state(ledger, "done")
    job_id = submit(ledger, force=True).job_id or 0
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


def test_delay_grows_with_each_failure(ledger: Ledger) -> None:
    job_id, waits = queued(ledger), []
    for _ in range(4):
        fail(ledger, job_id, Reason.NETWORK)
        waits.append((ledger.jobs.get(job_id).wait_until or 0) - time.time())
    assert waits == pytest.approx([60, 120, 240, 480], abs=20)


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
    assert ledger.jobs.get(job_id).progress == PROGRESS
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


# ---- reading


def test_unknown_job_raises_no_such_job(ledger: Ledger) -> None:
    with pytest.raises(NoSuchJob, match="job 7"):
        ledger.jobs.get(7)
    assert ledger.jobs.events(7) == []
    assert ledger.jobs.named(NAME) == []


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (JobFilter(), [3, 2, 1]),
        (JobFilter(state=JobState.FAILED), [2]),
        (JobFilter(reason=Reason.CORRUPT), [2]),
        (JobFilter(state=JobState.QUEUED, reason=Reason.CORRUPT), []),
        (JobFilter(group="g"), [1]),
        (JobFilter(group="' OR 1 --"), []),
    ],
)
def test_jobs_are_selected_by_state_reason_and_group(ledger: Ledger, which: JobFilter, expected: Sequence[int]) -> None:
    queued(ledger, "SRR000001", group="g")
    in_state(ledger, "failed", "SRR000002")
    queued(ledger, "SRR000003")
    assert [job.id for job in ledger.jobs.matching(which)] == expected
    assert [job.id for job in ledger.jobs.matching(which, 1)] == expected[:1]
    assert ledger.jobs.ids(which) == sorted(expected)


def test_many_jobs_are_read_by_their_ids(ledger: Ledger) -> None:
    answers = ledger.jobs.enqueue([request(f"SRR{n:06d}") for n in range(1100)])
    numbers = [answer.job_id for answer in answers if answer.job_id is not None]
    assert sorted(job.id for job in ledger.jobs.with_ids([*numbers, 99_999])) == numbers
    assert ledger.jobs.with_ids([]) == []


def test_jobs_are_counted_by_state_and_reason(ledger: Ledger) -> None:
    queued(ledger, "SRR000001", group="g")
    in_state(ledger, "failed", "SRR000002")
    in_state(ledger, "failed", "SRR000003")
    assert ledger.counts.by_state() == {(JobState.QUEUED, ""): 1, (JobState.FAILED, "corrupt"): 2}
    assert ledger.counts.by_state("g") == {(JobState.QUEUED, ""): 1}
    assert ledger.counts.by_state("h") == {}


def test_jobs_of_a_name_are_listed_newest_first(ledger: Ledger) -> None:
    first = in_state(ledger, "done")
    second = submit(ledger, force=True).job_id
    assert [job.id for job in ledger.jobs.named(NAME)] == [second, first]


def test_check_of_a_sound_ledger_returns_ok(ledger: Ledger) -> None:
    assert ledger.check() == "ok"


def test_controls_return_the_last_value_set(ledger: Ledger) -> None:
    assert not ledger.controls.paused
    for change, paused in (
        (ledger.controls.pause, True),
        (ledger.controls.resume, False),
        (ledger.controls.pause, True),
    ):
        change()
        assert ledger.controls.paused is paused
    assert ledger.controls.job_limit(default=2) == 2
    for jobs in (5, 3):
        ledger.controls.set_job_limit(jobs)
        assert ledger.controls.job_limit(default=2) == jobs
    for killed in (True, False):
        ledger.controls.set_killed_on_purpose(killed)
        assert ledger.controls.killed_on_purpose is killed


def test_controls_keep_the_stored_keys_and_values(ledger: Ledger) -> None:
    """Earlier versions of wort wrote these rows."""
    ledger.controls.pause()
    ledger.controls.set_job_limit(3)
    ledger.controls.set_killed_on_purpose(True)
    rows = ledger.storage.select("SELECT key, value FROM control ORDER BY key", {})
    assert {row["key"]: row["value"] for row in rows} == {"jobs": "3", "killed": "yes", "paused": "yes"}


# ---- rules that triggers enforce


def test_every_transition_writes_an_event(ledger: Ledger) -> None:
    job_id = in_state(ledger, "waiting")
    ledger.attempts.claim(job_id, "me", 60)
    ledger.attempts.requeue(job_id, 2, "lost")
    ledger.jobs.cancel([job_id])
    ledger.jobs.retry([job_id])
    move(ledger, job_id, "done")
    events = ledger.jobs.events(job_id)
    path = "queued running waiting queued running queued cancelled queued running done"
    assert " ".join(event.after for event in events) == path
    assert [event.before for event in events[1:]] == [event.after for event in events[:-1]]
    assert [event.attempt for event in events] == [0, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    assert [event.reason for event in events if event.reason][:1] == ["network"]
    assert [event.at for event in events] == pytest.approx([time.time()] * 10, abs=60)


@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("before", STATES)
def test_triggers_allow_legal_transitions_only(ledger: Ledger, before: str, after: str) -> None:
    job_id = in_state(ledger, before)
    other = sqlite3.connect(ledger.storage.path, isolation_level=None)
    try:
        events = len(moves(ledger, job_id))
        if (before, after) in LEGAL or before == after:
            other.execute("UPDATE jobs SET state = ? WHERE id = ?", (after, job_id))
        else:
            with pytest.raises(sqlite3.IntegrityError, match="illegal move"):
                other.execute("UPDATE jobs SET state = ? WHERE id = ?", (after, job_id))
        moved = (before, after) in LEGAL
        assert ledger.jobs.get(job_id).state == (after if moved else before)
        assert len(moves(ledger, job_id)) == events + moved
    finally:
        other.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM jobs",
        "DELETE FROM jobs WHERE id = 1",
        "UPDATE jobs SET state = 'paused' WHERE id = 1",
        "UPDATE jobs SET name = NULL WHERE id = 1",
        "UPDATE jobs SET priority = 'high' WHERE id = 1",
        "INSERT INTO jobs (name, profile, state, created_at) VALUES ('x', 'sra-v1', 'done', 1)",
        "INSERT INTO jobs (name, profile, created_at) VALUES ('SRR139146', 'sra-v1', 1)",
        "INSERT OR REPLACE INTO jobs (id, name, profile, created_at) VALUES (1, 'SRR139146', 'sra-v1', 1)",
    ],
)
def test_triggers_refuse_statements_that_would_lose_or_duplicate_a_job(ledger: Ledger, statement: str) -> None:
    queued(ledger)
    before = snapshot(ledger)
    other = sqlite3.connect(ledger.storage.path, isolation_level=None)
    try:
        with pytest.raises(sqlite3.IntegrityError):
            other.execute(statement)
    finally:
        other.close()
    assert snapshot(ledger) == before
