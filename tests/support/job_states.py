"""Brings jobs into any state, for the tests of the ledger."""

from tests.support.builders import published, request
from wort_cli.ledger.jobs import Enqueued, EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.accession import parse_name
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobRequest, JobState, Progress
from wort_cli.model.job_result import JobResult, Published

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


def enqueue(ledger: Ledger, asked: JobRequest | None = None, *, force: bool = False, dry_run: bool = False) -> Enqueued:
    (answer,) = ledger.jobs.enqueue([asked or request()], force=force, dry_run=dry_run)
    return answer


def queued(ledger: Ledger, name: str = "SRR139146", priority: int = 0, group: str = "") -> int:
    """Enqueue a new job; return its id."""
    answer = enqueue(ledger, request(name, None, priority, group))
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
