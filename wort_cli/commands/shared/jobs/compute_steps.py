"""Completes the requests of `wort compute`, and shows them: the plans of a dry run, queued jobs, or results."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from wort_cli.api.enqueueing import jobs_of
from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.api.waiting import FirstClaim
from wort_cli.commands.shared.arguments.expansion import Expander
from wort_cli.commands.shared.daemon.daemon_differences import notice_differences
from wort_cli.commands.shared.exporting.output import Output, OutputItem
from wort_cli.commands.shared.jobs import outcome
from wort_cli.commands.shared.jobs.compute_record import (
    answer_record,
    columns_of,
    print_answers,
    print_jobs,
    print_plans,
)
from wort_cli.commands.shared.jobs.report_file import Reporter
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.follow import DaemonWatch, follow, run_now
from wort_cli.commands.shared.showing.printing import Form
from wort_cli.commands.shared.syncing.bring_local import bring_missing
from wort_cli.errors import ExitCode
from wort_cli.ledger.jobs import Enqueued, EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name
from wort_cli.model.job import Job, JobState, Source
from wort_cli.model.profile import Profile
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import running_daemon
from wort_cli.system.termination import terminated_by_signals


@dataclass(frozen=True)
class Display:
    """The format of the output, and the exit code of unavailable runs."""

    form: Form
    header: bool
    strict: bool


@dataclass(frozen=True)
class Requested:
    """Enqueued requests, and the objects with which the rest of the command follows them."""

    answers: Sequence[Enqueued]
    ledger: Ledger
    settings: Settings
    finder: SignatureFinder
    sources: Sequence[Source]


def show_plans(
    requested: Requested, expander: Expander, profile: Profile, display: Display, *, jobs: int, accept_unproved: bool
) -> None:
    """Print what would be done for each request, and an estimate of the cost if `jobs` jobs run at a time."""
    answers, ledger, settings = requested.answers, requested.ledger, requested.settings
    planned = (answer.source.name for answer in answers if answer.status is EnqueueStatus.QUEUED)
    print_plans(
        answers,
        requested.finder,
        replace(settings, accept_unproved=accept_unproved or settings.accept_unproved),
        display.form,
        ledger.catalog.measured(profile.name),
        expander.amounts(planned, ledger),
        header=display.header,
        jobs=jobs,
    )


def show_queued(requested: Requested, group: str, display: Display) -> ExitCode:
    """Print the answers to requests whose jobs the daemon runs; return the exit code."""
    answers = requested.answers
    records = (answer_record(answer, requested.finder) for answer in answers)
    print_answers(records, len(answers), display.form, header=display.header, columns=columns_of(answers))
    suggest_next_command(answers, requested.settings, group)
    return outcome.exit_code((state_when_queued(answer) for answer in answers), strict=display.strict)


def state_when_queued(answer: Enqueued) -> JobState:
    """Return the state that decides the exit code without --wait: a queued job counts as done."""
    return JobState.UNAVAILABLE if answer.status is EnqueueStatus.UNAVAILABLE else JobState.DONE


def complete(
    requested: Requested,
    claim: FirstClaim | None,
    reporter: Reporter | None,
    target: Output | None,
    display: Display,
    *,
    local: bool,
    provenance: bool,
) -> tuple[ExitCode, Sequence[Name]]:
    """Run the jobs or wait for them, write -o, and print the results.

    Returns the exit code, and the signatures that `local` could not download.
    """
    answers, ledger, settings, finder = requested.answers, requested.ledger, requested.settings, requested.finder
    names = [source.name for source in requested.sources]
    jobs = run_or_follow(answers, ledger, settings, claim, reporter)
    missing = bring_missing(names, finder, ledger, settings) if local else []
    if target is not None:
        target.write(stored_items(finder, names, provenance=provenance))
    if target is None or not target.is_stdout:
        print_jobs(answers, jobs, finder, display.form, header=display.header)
    outcome.explain_unsuccessful(
        list(jobs.values()),
        daemon_runs=running_daemon(settings.lock_file) is not None,
        in_task=reporter is not None,
    )
    states = (jobs[a.job_id].state if a.job_id in jobs else JobState.DONE for a in answers)
    return outcome.exit_code(states, strict=display.strict), missing


def run_or_follow(
    answers: Sequence[Enqueued],
    ledger: Ledger,
    settings: Settings,
    claim: FirstClaim | None,
    reporter: Reporter | None = None,
) -> dict[int, Job]:
    """Run the jobs in this process, if it has claimed the first, or wait for the daemon; return them as they ended.

    The result has the jobs by number.  A signature that already exists has none.
    """
    if reporter is not None:
        reporter.answers(answers)
    if claim is None:
        notice_differences(settings)
        return {job.id: job for job in follow(ledger, jobs_of(answers), watch=DaemonWatch(ledger, settings))}
    report, jobs = reporter.job if reporter else lambda _: None, jobs_of(answers)
    try:
        with terminated_by_signals():
            return run_now(jobs, ledger, settings, claim.job, report)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            ledger.jobs.cancel(a.job_id for a in answers if a.job_id is not None and a.status is EnqueueStatus.QUEUED)
            render.notice("the unfinished jobs were cancelled")
        if reporter is not None:
            left = reporter.unfinished(jobs)
            render.notice(f"{render.count(left, 'run')} not computed; the report says which")
        raise


def stored_items(finder: SignatureFinder, names: Sequence[Name], *, provenance: bool) -> Iterator[OutputItem]:
    """Yield the stored signatures of some names for `-o`; a job that failed has made none."""
    for name in names:
        if not finder.location(name):
            continue
        yield OutputItem(
            name,
            partial(finder.open, name),
            finder.provenance(name) if provenance else None,
            hint=f"the signature is stored; write it again with `wort view {name} -o FILE`",
        )


def suggest_next_command(answers: Sequence[Enqueued], settings: Settings, group: str) -> None:
    """Write to stderr how to follow the jobs, or that no daemon runs them."""
    queued = sum(answer.status in (EnqueueStatus.QUEUED, EnqueueStatus.LIVE) for answer in answers)
    if not queued:
        if len(answers) == 1 and answers[0].status is EnqueueStatus.EXISTS:
            render.notice(f"show it with `wort view {answers[0].source.name}`; --force computes it again")
        return
    if running_daemon(settings.lock_file) is None:
        render.notice(f"{render.count(queued, 'job')} in the queue, but no daemon is running: `wort daemon start`")
    else:
        follow = f"wort wait -g {shlex.quote(group)}" if group else "wort wait --all"
        render.notice(f"{render.count(queued, 'job')} in the queue; follow with `{follow}` or `wort status`")
        notice_differences(settings)
