"""The counts that are kept equal a full count of the rows, after any sequence of operations."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import published, request
from tests.support.groups import assert_counts_are_true
from wort_cli.ledger.kept_counts import count_again, wrong_counts
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.ledger.submissions import VerifyRequest
from wort_cli.model.accession import parse_name
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import Source
from wort_cli.model.job_result import JobResult
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.model.verdict import Depth
from wort_cli.upkeep.event_pruning import prune

Operation = Callable[[Ledger], object]
NAMES = ["SRR000001", "SRR000002", "SRR000003"]
RUNS = st.sampled_from(NAMES)
GROUPS = st.sampled_from(["", "soil", "soil", "plankton"])
JOBS = st.integers(1, 4)
AMOUNT = st.one_of(st.none(), st.integers(0, 2**40))
POLICY = RetryPolicy(delay=1e-6)
EVENT = """
INSERT INTO events (job_id, at, before, after, reason, message, attempt)
SELECT id, :at, 'running', :after, :reason, '', 1 FROM jobs WHERE id = :job
"""


def enqueue(name: str, group: str, force: bool) -> Operation:
    return lambda ledger: ledger.jobs.enqueue([request(name, group=group)], force=force)


def verify(name: str, group: str) -> Operation:
    wanted = VerifyRequest(
        Source(parse_name(name)), "sra-v1", f"submitted/d/{name}.sig", "d" * 64, Depth.FULL, 0, group
    )
    return lambda ledger: ledger.submissions.enqueue_verifications([wanted])


def finish(job_id: int, reason: Reason | None, remote: bool) -> Operation:
    def end(ledger: Ledger) -> None:
        job = ledger.attempts.claim(job_id, "me", 60)
        if job is not None and job.kind == "compute":
            made = replace(published(str(job.name)), remote="s3://wort-sra/x.sig" if remote else "")
            result = JobResult(job_id, job.attempt, made) if reason is None else None
            ledger.attempts.finish(
                result or JobResult(job_id, job.attempt, failure=Failure(reason or Reason.NETWORK, "x")), POLICY
            )

    return end


def learn(name: str, bases: int | None, size: int | None) -> Operation:
    return lambda ledger: ledger.runs.record([(RunMetadata(name, bases=bases, bytes=size), "NCBI")])


def change(sql: str, **values: object) -> Operation:
    return lambda ledger: ledger.storage.connection.execute(sql, values)


FIRST = [
    *(learn(name, 1000, 250) for name in NAMES),
    *(enqueue(name, "soil", False) for name in NAMES),
    finish(1, None, True),
    finish(2, Reason.CORRUPT, False),
]
"""The operations before each sequence, so that most operations find something to change."""
OPERATIONS = st.one_of(
    st.builds(enqueue, RUNS, GROUPS, st.booleans()),
    st.builds(verify, RUNS, GROUPS),
    st.builds(
        finish, JOBS, st.sampled_from([None, None, Reason.NETWORK, Reason.CORRUPT, Reason.NOT_FOUND]), st.booleans()
    ),
    st.builds(learn, RUNS, AMOUNT, AMOUNT),
    st.builds(lambda job: lambda ledger: ledger.jobs.retry([job]), JOBS),
    st.builds(lambda job: lambda ledger: ledger.jobs.cancel([job]), JOBS),
    st.builds(lambda job: lambda ledger: ledger.jobs.forget([job]), JOBS),
    st.builds(lambda: lambda ledger: ledger.attempts.wake()),
    st.builds(lambda keep: lambda ledger: list(prune(ledger.storage, keep, 3)), st.integers(4, 8)),
    st.builds(lambda name: lambda ledger: ledger.catalog.record(published(name)), RUNS),
    st.builds(lambda name: change("DELETE FROM signatures WHERE name = :name", name=name), RUNS),
    st.builds(lambda name: change("UPDATE signatures SET remote = '' WHERE name = :name", name=name), RUNS),
    st.builds(lambda name: change("DELETE FROM runs WHERE run = :name", name=name), RUNS),
    st.builds(lambda group: change("DELETE FROM group_members WHERE group_name = :group", group=group), GROUPS),
    st.builds(
        lambda job, at, after: change(EVENT, job=job, at=at, after=after, reason="network"),
        JOBS,
        st.one_of(st.integers(0, 20).map(lambda n: 1.7e9 + 15 * n), st.floats(1.7e9, 1.7e9 + 400_000)),
        st.sampled_from(["done", "waiting", "queued"]),
    ),
    st.builds(
        lambda at: change("UPDATE events SET at = :at WHERE id % 3 = 0", at=at), st.floats(1.7e9, 1.7e9 + 400_000)
    ),
    st.builds(lambda: lambda ledger: count_again(ledger.storage)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(OPERATIONS, min_size=4, max_size=12))
def test_counts_equal_a_full_count_after_any_sequence_of_operations(operations: list[Operation]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        ledger = Ledger(Path(directory) / "ledger.db")
        for operation in FIRST:
            operation(ledger)
        assert_counts_are_true(ledger)
        for operation in operations:
            operation(ledger)
            assert_counts_are_true(ledger)
        assert wrong_counts(ledger.storage) == []
        ledger.close()
