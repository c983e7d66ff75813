"""Jobs: what a request leads to, cancelling, retrying, and finding jobs."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.builders import published, request
from tests.support.job_states import (
    NAME,
    POLICY,
    REASONS,
    STATES,
    enqueue,
    fail,
    in_state,
    move,
    moves,
    queued,
    result,
    snapshot,
)
from wort_cli.errors import NoSuchJob, UsageError
from wort_cli.ledger.jobs import EnqueueStatus, JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobRequest, JobState


def test_new_request_becomes_a_queued_job_with_its_values(ledger: Ledger, tmp_path: Path) -> None:
    answer = enqueue(ledger, request("mine", tmp_path / "x.sra", 7, "g"), force=True)
    assert (answer.status, answer.state) == (EnqueueStatus.QUEUED, JobState.QUEUED)
    assert answer.job_id is not None
    job = ledger.jobs.get(answer.job_id)
    assert (job.name, job.source.archive, job.profile) == ("mine", tmp_path / "x.sra", "sra-v1")
    assert (job.state, job.priority, job.groups, job.force) == (JobState.QUEUED, 7, ("g",), True)
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
    answer = enqueue(ledger, force=force)
    assert (answer.status, answer.job_id, answer.state) == (EnqueueStatus.LIVE, job_id, state)
    assert ledger.jobs.get(job_id).state == state
    assert sum(ledger.counts.by_state().values()) == 1


def test_second_request_for_a_live_job_raises_its_priority_and_adds_its_group(ledger: Ledger) -> None:
    job_id = queued(ledger)
    enqueue(ledger, request(priority=5, group="g"))
    enqueue(ledger, request(priority=-5, group="h"))
    job = ledger.jobs.get(job_id)
    assert (job.priority, job.groups) == (5, ("g", "h"))
    assert moves(ledger, job_id) == [("", "queued")]


def test_existing_signature_is_not_computed_again(ledger: Ledger) -> None:
    job_id = in_state(ledger, "done")
    answer = enqueue(ledger)
    assert (answer.status, answer.job_id, answer.state) == (EnqueueStatus.EXISTS, job_id, JobState.DONE)


def test_existing_signature_is_computed_again_with_force(ledger: Ledger) -> None:
    first = in_state(ledger, "done")
    answer = enqueue(ledger, force=True)
    assert answer.status is EnqueueStatus.QUEUED
    assert answer.job_id not in (first, None)
    assert ledger.jobs.get(first).state is JobState.DONE


def test_signature_stays_in_the_catalog_when_a_later_job_fails(ledger: Ledger) -> None:
    in_state(ledger, "done")
    again = enqueue(ledger, force=True).job_id
    assert again is not None
    move(ledger, again, "failed")
    assert enqueue(ledger).status is EnqueueStatus.EXISTS
    assert ledger.catalog.get(NAME, "sra-v1") is not None


def test_request_for_an_unavailable_run_returns_the_reason(ledger: Ledger) -> None:
    job_id = in_state(ledger, "unavailable")
    answer = enqueue(ledger)
    assert (answer.status, answer.job_id, answer.reason) == (EnqueueStatus.UNAVAILABLE, job_id, "not-found")
    assert ledger.jobs.get(job_id).state is JobState.UNAVAILABLE


def test_unavailable_run_is_requeued_with_force(ledger: Ledger) -> None:
    job_id = in_state(ledger, "unavailable")
    answer = enqueue(ledger, force=True)
    assert (answer.status, answer.job_id) == (EnqueueStatus.QUEUED, job_id)
    assert ledger.jobs.get(job_id).force


def test_unavailable_run_is_requeued_when_a_local_archive_is_given(ledger: Ledger, tmp_path: Path) -> None:
    job_id = in_state(ledger, "unavailable")
    answer = enqueue(ledger, request("SRR139146", tmp_path / "SRR139146.sra"))
    assert (answer.status, answer.job_id) == (EnqueueStatus.QUEUED, job_id)
    assert ledger.jobs.get(job_id).source.archive == tmp_path / "SRR139146.sra"


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_request_for_a_failed_job_requeues_that_job(ledger: Ledger, state: str, tmp_path: Path) -> None:
    job_id = in_state(ledger, state)
    answer = enqueue(ledger, request("SRR139146", tmp_path / "SRR139146.sra", 3, "g"))
    assert (answer.status, answer.job_id, answer.state) == (EnqueueStatus.QUEUED, job_id, JobState.QUEUED)
    job = ledger.jobs.get(job_id)
    assert (job.state, job.reason, job.message, job.ended_at) == (JobState.QUEUED, None, "", None)
    assert (job.priority, job.groups, job.source.archive) == (3, ("g",), tmp_path / "SRR139146.sra")
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
    job_id = enqueue(ledger, asked).job_id
    assert job_id is not None
    assert ledger.attempts.claim(job_id, "me", 60)
    facts = archive.stat()
    made = published("mine", source=str(archive), source_size=facts.st_size, source_mtime=facts.st_mtime)
    assert ledger.attempts.finish(result(ledger, job_id, "done", made), POLICY) is JobState.DONE
    assert enqueue(ledger, asked).status is EnqueueStatus.EXISTS
    archive.write_bytes(b"second")
    assert enqueue(ledger, asked).status is EnqueueStatus.QUEUED


@pytest.mark.parametrize("dry_run", [False, True])
def test_signature_of_a_local_name_is_replaced_by_that_of_another_archive_only_by_force(
    ledger: Ledger, tmp_path: Path, dry_run: bool
) -> None:
    job_id = enqueue(ledger, request("mine", tmp_path / "x.sra")).job_id
    assert job_id is not None
    assert ledger.attempts.claim(job_id, "me", 60)
    made = published("mine", source=str(tmp_path / "x.sra"))
    assert ledger.attempts.finish(result(ledger, job_id, "done", made), POLICY) is JobState.DONE
    other, before = request("mine", tmp_path / "y.sra"), snapshot(ledger)
    with pytest.raises(UsageError, match=r"computed from .*x\.sra") as refused:
        enqueue(ledger, other, dry_run=dry_run)
    assert "--name" in refused.value.hint
    assert snapshot(ledger) == before
    assert enqueue(ledger, other, dry_run=dry_run, force=True).status is EnqueueStatus.QUEUED


def test_local_name_of_a_live_job_with_another_archive_is_refused_and_nothing_is_queued(
    ledger: Ledger, tmp_path: Path
) -> None:
    enqueue(ledger, request("mine", tmp_path / "x.sra"))
    before = snapshot(ledger)
    with pytest.raises(UsageError, match="mine"):
        ledger.jobs.enqueue([request("SRR000001"), request("mine", tmp_path / "y.sra")])
    assert snapshot(ledger) == before


def test_each_profile_of_a_run_has_its_own_job(ledger: Ledger) -> None:
    first = queued(ledger)
    other = JobRequest(request().source, "sra-v2")
    assert enqueue(ledger, other).job_id != first


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
def test_job_that_ended_without_success_or_waits_can_be_retried(ledger: Ledger, state: str) -> None:
    job_id = in_state(ledger, state)
    retriable = state in ("failed", "unavailable", "cancelled", "waiting")
    assert ledger.jobs.retry([job_id, 999]) == int(retriable)
    job = ledger.jobs.get(job_id)
    assert (job.state, job.wait_until) == ("queued" if retriable else state, None)


def test_retry_of_a_waiting_job_keeps_the_number_of_failures(ledger: Ledger) -> None:
    job_id = queued(ledger)
    assert fail(ledger, job_id, Reason.TOOL_CRASH, 2) == [JobState.WAITING] * 2
    ledger.jobs.retry([job_id])
    assert fail(ledger, job_id, Reason.TOOL_CRASH) == [JobState.FAILED]


def test_only_the_newest_job_of_a_signature_is_retried(ledger: Ledger) -> None:
    failed = in_state(ledger, "failed")
    move(ledger, enqueue(ledger).job_id or 0, "done")
    again = enqueue(ledger, force=True).job_id
    assert again not in (failed, None)
    older, latest = failed, again or 0
    ledger.jobs.cancel([latest])
    assert ledger.jobs.retry([older, latest]) == 1
    assert ledger.jobs.get(latest).state is JobState.QUEUED


def test_retry_keeps_archive_priority_and_group(ledger: Ledger, tmp_path: Path) -> None:
    job_id = enqueue(ledger, request("mine", tmp_path / "x.sra", -5, "g")).job_id or 0
    ledger.jobs.cancel([job_id])
    ledger.jobs.retry([job_id])
    job = ledger.jobs.get(job_id)
    assert (job.source.archive, job.priority, job.groups) == (tmp_path / "x.sra", -5, ("g",))


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
    second = enqueue(ledger, force=True).job_id
    assert [job.id for job in ledger.jobs.named(NAME)] == [second, first]


def test_check_of_a_sound_ledger_returns_ok(ledger: Ledger) -> None:
    assert ledger.check() == "ok"


def test_every_job_is_yielded_in_batches(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.ledger.jobs.BATCH", 7)
    ledger.jobs.enqueue([request(f"SRR{n:06d}", group="a" if n % 2 else "b") for n in range(30)])
    assert [job.id for job in ledger.jobs.every(JobFilter())] == list(range(30, 0, -1))
    assert [job.id for job in ledger.jobs.every(JobFilter(group="a"))] == list(range(30, 0, -2))
    assert list(ledger.jobs.every(JobFilter(group="none"))) == []
