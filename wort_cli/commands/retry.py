"""`wort retry`: queues jobs again that failed, are unavailable, wait for a later attempt, or were cancelled."""

from typing import Annotated

import typer

from wort_cli.api.job_changes import retry_jobs
from wort_cli.commands.shared.arguments.options import JobsArgument, JsonOption, SelectGroupOption, SelectReasonOption
from wort_cli.commands.shared.arguments.selection import NAMES_AND_OPTIONS, open_home, parse_reason, select_job_ids
from wort_cli.commands.shared.jobs.unchanged import why_not_retried
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import COUNT, Document, Field
from wort_cli.commands.shared.showing.printing import print_document
from wort_cli.errors import UsageError
from wort_cli.ledger.jobs import JobFilter
from wort_cli.model.job import JobState
from wort_cli.system.daemon_lock import running_daemon

DOCUMENT = Document(
    "retry", "How many jobs were queued again.", head=(Field("queued", COUNT, "The number of jobs that were queued"),)
)


def retry(
    jobs: JobsArgument = None,
    failed: Annotated[bool, typer.Option("--failed", help="Select all jobs that failed.")] = False,
    reason: SelectReasonOption = "",
    group: SelectGroupOption = "",
    as_json: JsonOption = False,
) -> None:
    """Queue failed, unavailable, waiting and cancelled jobs again.

    A job that waits for a later attempt is tried at once. Jobs that are queued, running or done are not changed.
    """
    settings, ledger = open_home()
    job_filter = JobFilter(JobState.FAILED if failed else None, parse_reason(reason), group)
    if jobs and job_filter != JobFilter():
        raise UsageError(NAMES_AND_OPTIONS)
    job_ids = select_job_ids(ledger, jobs, job_filter, everything=False)
    changed = retry_jobs(ledger, job_ids)
    number = changed.number
    for sentence in why_not_retried(changed.before, number):
        render.notice(sentence)
    if as_json:
        print_document(DOCUMENT, {"queued": number})
        return
    render.result(f"{render.count(number, 'job')} queued again")
    if number and running_daemon(settings.lock_file) is None:
        render.notice("no daemon is running: `wort daemon start`")
