"""Groups: the lists of signatures that were requested, whatever the state of each."""

from collections.abc import Iterator

import pytest

from tests.support.builders import published, request
from tests.support.groups import assert_groups_are_counted
from tests.support.job_states import enqueue, in_state, move, queued
from wort_cli.ledger.jobs import EnqueueStatus, JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.submissions import VerifyRequest
from wort_cli.model.accession import parse_name
from wort_cli.model.job import JobState, Source
from wort_cli.model.verdict import Depth

A, B, C = "SRR100001", "SRR100002", "SRR100003"
DONE, QUEUED = (JobState.DONE, ""), (JobState.QUEUED, "")


@pytest.fixture
def groups(ledger: Ledger) -> Iterator[Ledger]:
    yield ledger
    assert_groups_are_counted(ledger)


def stored(ledger: Ledger, group: str) -> list[str]:
    return [str(member.name) for member in ledger.groups.stored_members(group)]


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ("queued", EnqueueStatus.LIVE),
        ("running", EnqueueStatus.LIVE),
        ("waiting", EnqueueStatus.LIVE),
        ("done", EnqueueStatus.EXISTS),
        ("unavailable", EnqueueStatus.UNAVAILABLE),
        ("failed", EnqueueStatus.QUEUED),
        ("cancelled", EnqueueStatus.QUEUED),
    ],
)
def test_requested_run_is_a_member_whatever_its_state(groups: Ledger, state: str, answer: EnqueueStatus) -> None:
    job_id = in_state(groups, state, A)
    assert enqueue(groups, request(A, group="soil")).status is answer
    job = groups.jobs.get(job_id)
    assert (job.groups, groups.jobs.ids(JobFilter(group="soil"))) == (("soil",), [job_id])
    assert groups.counts.by_state("soil") == {(job.state, str(job.reason or "")): 1}


def test_signature_that_was_there_needs_no_job_and_is_a_member_that_is_done(groups: Ledger) -> None:
    groups.catalog.record(published(A))
    assert enqueue(groups, request(A, group="soil")).status is EnqueueStatus.EXISTS
    assert (groups.jobs.ids(JobFilter()), stored(groups, "soil")) == ([], [A])
    assert groups.counts.by_state("soil") == {DONE: 1}


def test_run_is_in_several_groups_and_is_one_job(groups: Ledger) -> None:
    groups.jobs.enqueue([request(A, group="soil"), request(B, group="soil"), request(A, group="sea")])
    assert groups.groups.sizes() == {"sea": 1, "soil": 2}
    assert groups.jobs.get(1).groups == ("sea", "soil")
    move(groups, 1, "done")
    assert groups.counts.by_state("sea") == {DONE: 1}
    assert groups.counts.by_state("soil") == {DONE: 1, QUEUED: 1}


def test_second_request_adds_to_the_group(groups: Ledger) -> None:
    for runs in ((A, B), (B, C), (A,)):
        groups.jobs.enqueue([request(run, group="soil") for run in runs])
    assert (groups.groups.sizes(), len(groups.jobs.ids(JobFilter(group="soil")))) == ({"soil": 3}, 3)


def test_dry_run_and_request_without_a_group_make_no_member(groups: Ledger) -> None:
    enqueue(groups, request(A, group="soil"), dry_run=True)
    queued(groups, B)
    assert groups.groups.sizes() == {}


def test_member_follows_the_newest_job_of_its_run(groups: Ledger) -> None:
    first = queued(groups, A, group="soil")
    move(groups, first, "done")
    again = enqueue(groups, request(A), force=True).job_id
    assert groups.jobs.ids(JobFilter(group="soil")) == [again]
    assert (groups.counts.by_state("soil"), groups.jobs.get(first).groups) == ({QUEUED: 1}, ())


def test_stored_member_gets_the_job_that_computes_its_signature_again(groups: Ledger) -> None:
    groups.catalog.record(published(A))
    enqueue(groups, request(A, group="soil"))
    assert enqueue(groups, request(A), force=True).job_id == 1
    assert (stored(groups, "soil"), groups.jobs.ids(JobFilter(group="soil"))) == ([], [1])


@pytest.mark.parametrize("state", ["failed", "unavailable", "cancelled"])
def test_signature_that_was_pulled_makes_its_member_done(groups: Ledger, state: str) -> None:
    job_id = in_state(groups, state, A)
    with groups.transaction():
        groups.groups.add("soil", parse_name(A), "sra-v1", job_id)
        groups.catalog.record(published(A))
    assert (stored(groups, "soil"), groups.counts.by_state("soil")) == ([A], {DONE: 1})
    groups.jobs.retry([job_id])
    assert (stored(groups, "soil"), groups.counts.by_state("soil")) == ([], {QUEUED: 1})


def test_forgotten_job_leaves_a_member_only_where_there_is_a_signature(groups: Ledger) -> None:
    for name, state in ((A, "done"), (B, "failed")):
        move(groups, queued(groups, name, group="soil"), state)
    assert groups.jobs.forget([1, 2]) == 2
    assert (stored(groups, "soil"), groups.counts.by_state("soil")) == ([A], {DONE: 1})
    groups.storage.change("remove_signature", name=A, profile="sra-v1", path=published(A).path)
    assert groups.groups.sizes() == {}


def test_verifications_are_members_beside_computations(groups: Ledger) -> None:
    queued(groups, A, group="soil")
    wanted = VerifyRequest(Source(parse_name(A)), "sra-v1", "sigs/x.sig", "d" * 64, Depth.FULL, group="soil")
    groups.submissions.enqueue_verifications([wanted])
    assert groups.jobs.ids(JobFilter(group="soil")) == [1, 2]
    assert groups.counts.by_state("soil") == {QUEUED: 2}
    groups.catalog.record(published(A))
    assert [one.name for one in groups.catalog.listed("sra-v1", group="soil")] == [A]


def test_job_is_held_while_one_of_its_groups_is_paused(groups: Ledger) -> None:
    groups.controls.pause_group("sea")
    groups.jobs.enqueue([request(A, group="soil"), request(B, group="sea")])
    assert groups.jobs.next_jobs(9) == [1]
    enqueue(groups, request(A, group="sea"))
    groups.controls.pause_group("soil")
    groups.controls.resume_group("sea")
    assert groups.jobs.next_jobs(9) == [2]
    groups.controls.resume_group("soil")
    assert groups.jobs.next_jobs(9) == [1, 2]


def test_state_of_a_large_group_is_counted_and_its_newest_jobs_are_read(groups: Ledger) -> None:
    groups.jobs.enqueue([request(f"SRR{n:07d}", group="soil") for n in range(10_000)])
    assert groups.counts.by_state("soil") == {QUEUED: 10_000}
    assert len(groups.jobs.matching(JobFilter(group="soil"), 50)) == 50
