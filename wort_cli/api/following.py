"""Requests the new runs of a project or a query that is followed.

1. Record that the list is asked for, so that a process that is killed is noticed, and tried again.
2. Ask ENA and NCBI for the runs, as `wort compute PRJ...` does.
3. Of the runs that were never requested, queue a job for each, or none of them if there are too many.
4. Record the result, and when to ask again: after `follow_hours`, or sooner after a failure, by backoff.

A run whose job failed, was cancelled or is unavailable is not new: `wort retry` is for those.
"""

import time
from dataclasses import dataclass
from functools import partial

from wort_cli.api.enqueueing import enqueue
from wort_cli.api.listings import record_listing
from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.errors import StorageProblem, UsageError, WortError
from wort_cli.ledger.jobs import EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, RecordAccession
from wort_cli.model.follow import Follow, FollowReason, next_time
from wort_cli.model.job import JobRequest, Source
from wort_cli.pipeline.projects.kept import EnaQuery, Listing, Selection
from wort_cli.pipeline.projects.listing import NoRuns, NotListed, list_runs
from wort_cli.settings import Settings

HOUR = 3600.0
REASONS: tuple[tuple[type[WortError], FollowReason], ...] = (
    (NoRuns, FollowReason.NO_RUNS),
    (NotListed, FollowReason.NOT_LISTED),
    (UsageError, FollowReason.NOT_ASKED),
    (StorageProblem, FollowReason.STORAGE),
)
"""The reason for each error of a listing."""


@dataclass(frozen=True)
class Outcome:
    """The result of a look for new runs."""

    runs: int | None = None
    """The number of listed runs; None if they were not listed."""
    new: int = 0
    """The number of listed runs that were never requested."""
    queued: int = 0
    reason: FollowReason | None = None
    message: str = ""


def selection_of(text: str) -> Selection | None:
    """Return the accession of something that has runs, or the query of ENA, in a text; None if it is neither."""
    return RecordAccession.in_text(text, runs=False) or EnaQuery.in_text(text)


def run_follow(
    follow: Follow, ledger: Ledger, settings: Settings, *, most: int | None = None, dry_run: bool = False
) -> Outcome | None:
    """Request the new runs, and return the result; None if another process does so at this moment.

    most: how many may be requested at once, in place of what was set
    dry_run: ask for the list, but change nothing in the ledger
    """
    every, first = settings.follow_hours * HOUR, settings.retry_delay
    failures = follow.failures + 1
    when = partial(next_time, every=every, first=first)
    if not dry_run and not ledger.follows.start(follow, when(time.time(), failures, FollowReason.INTERRUPTED)):
        return None
    try:
        outcome = request_new(follow, ledger, settings, follow.request.most if most is None else most, dry_run=dry_run)
    except WortError as error:
        outcome = Outcome(reason=reason_of(error), message=error.sentence)
    if dry_run:
        return outcome
    failed = outcome.reason not in (None, FollowReason.NO_RUNS)
    failures = failures if failed else 0
    next_at = when(time.time(), failures, outcome.reason)
    with ledger.transaction():
        ledger.follows.end(
            follow, next_at, failures, outcome.reason, outcome.message, runs=outcome.runs, queued=outcome.queued
        )
    return outcome


def request_new(follow: Follow, ledger: Ledger, settings: Settings, most: int, *, dry_run: bool) -> Outcome:
    """List the runs and queue jobs for the new ones, unless they are more than `most`.  Raises WortError."""
    request = follow.request
    selection = selection_of(request.selection)
    if selection is None:
        raise UsageError(f"{request.selection} is neither an accession nor a query")
    profile = ledger.profiles.named(request.profile, settings.profiles)
    listing = list_runs(selection, settings, refresh=not dry_run)
    names = (row.run.run for row in listing.rows() if is_wanted(row.run.released, request.since))
    new = list(ledger.follows.never_requested(names, profile.name))
    reason, message = incomplete(listing)
    if len(new) > most:
        message = f"{len(new):,} new runs are more than {most:,}; nothing was queued"
        return Outcome(listing.runs, len(new), 0, FollowReason.TOO_MANY, message)
    if dry_run:
        return Outcome(listing.runs, len(new), 0, reason, message)
    record_listing(ledger, listing)
    queue = partial(
        JobRequest,
        profile=profile.name,
        priority=request.priority,
        group=request.group,
        accept_public=request.accept_public,
        selected_by=request.selection,
    )
    requests = [queue(Source(Accession.parse(name))) for name in new]
    answers = enqueue(ledger, SignatureFinder(settings, ledger, profile), requests)
    queued = sum(answer.status is EnqueueStatus.QUEUED for answer in answers)
    return Outcome(listing.runs, len(new), queued, reason, message)


def is_wanted(released: str, since: str) -> bool:
    """Return whether a run was released since a day; one whose date is not known is taken."""
    return not since or not released or released >= since


def incomplete(listing: Listing) -> tuple[FollowReason | None, str]:
    """Return the reason and the message if one of the services gave no list."""
    if listing.is_complete:
        return None, ""
    silent = [witness for witness in listing.witnesses if witness.runs is None]
    names, reasons = " and ".join(one.service for one in silent), "; ".join(one.why for one in silent)
    return FollowReason.INCOMPLETE, f"{names} gave no list, so that runs may be missing: {reasons}"


def reason_of(error: WortError) -> FollowReason:
    """Return the reason for an error."""
    return next((reason for kind, reason in REASONS if isinstance(error, kind)), FollowReason.STORAGE)
