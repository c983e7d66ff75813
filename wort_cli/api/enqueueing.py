"""Enqueues requests in batches, and requests whose signatures are lost again."""

import time
from collections.abc import Sequence

from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.api.waiting import FirstClaim
from wort_cli.ledger.jobs import Enqueued, EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobRequest

BATCH_SIZE, BATCH_PAUSE = 20_000, 0.15
"""Runs that are enqueued in one transaction of a few tenths of a second, and the seconds between two transactions:
SQLite retries to get its lock every tenth of a second, so that the daemon can write in the pause.
"""


def enqueue(
    ledger: Ledger,
    finder: SignatureFinder,
    requests: Sequence[JobRequest],
    *,
    force: bool = False,
    dry_run: bool = False,
    claim: FirstClaim | None = None,
) -> list[Enqueued]:
    """Enqueue the requests; a signature that the catalog has but neither store has is computed again.

    `claim` claims the first job for this process, in the same transaction.

    Many requests are enqueued in batches, so that the daemon can use the ledger in between.  A dry run of all of them
    comes first, so that a request that is refused stops the command before the first batch.
    """

    def enqueue_batch(batch: Sequence[JobRequest], *, force: bool, lost: bool = False) -> list[Enqueued]:
        with ledger.transaction(write=not dry_run):
            if not dry_run:
                ledger.profiles.use(*(one.profile for one in finder.all()))
            found = ledger.jobs.enqueue(batch, force=force, lost=lost, dry_run=dry_run)
            if not force:
                found = ledger.absences.end_claimed(batch, found, dry_run=dry_run)
            if not dry_run:
                share_passes(found, finder, ledger)
            if claim is not None:
                claim(jobs_of(found))
            return found

    answers: list[Enqueued] = []
    size = BATCH_SIZE - BATCH_SIZE % len(finder.all())  # the jobs of a source are enqueued together
    if len(requests) > size and not dry_run:
        for first in range(0, len(requests), size):
            ledger.jobs.enqueue(requests[first : first + size], force=force, dry_run=True)
    for first in range(0, len(requests), size):
        if first:
            time.sleep(BATCH_PAUSE)
        answers += enqueue_batch(requests[first : first + size], force=force)
    lost = [
        n
        for n, answer in enumerate(answers)
        if answer.status is EnqueueStatus.EXISTS and not finder.of_profile(answer.profile).location(answer.source.name)
    ]
    if lost:
        requeued = enqueue_batch([requests[n] for n in lost], force=False, lost=True)
        for n, answer in zip(lost, requeued, strict=True):
            answers[n] = answer
    return answers


def jobs_of(answers: Sequence[Enqueued]) -> list[int]:
    """Return the jobs that compute the requested signatures; one that already exists has none."""
    return [a.job_id for a in answers if a.job_id is not None and a.status is not EnqueueStatus.EXISTS]


def share_passes(answers: Sequence[Enqueued], finder: SignatureFinder, ledger: Ledger) -> None:
    """Let jobs for the same source be sketched in one pass, if they decode it with the same flags."""
    if len(finder.all()) < 2:
        return
    passes: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for answer in answers:
        if answer.status is EnqueueStatus.QUEUED and answer.job_id is not None:
            flags = finder.of_profile(answer.profile).profile.decode_flags
            passes.setdefault((str(answer.source.name), flags), []).append(answer.job_id)
    for first, *others in passes.values():
        ledger.jobs.put_behind(first, others)
