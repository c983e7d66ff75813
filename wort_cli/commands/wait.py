"""`wort wait`: waits until jobs have ended."""

from typing import Annotated

import typer

from wort_cli.api.job_changes import check_group
from wort_cli.commands.shared.arguments.options import (
    JobsArgument,
    JsonOption,
    NoHeaderOption,
    SelectAllOption,
    SelectGroupOption,
    StrictOption,
)
from wort_cli.commands.shared.arguments.selection import find_job_ids, open_home_to_read
from wort_cli.commands.shared.daemon.daemon_differences import notice_differences
from wort_cli.commands.shared.jobs import outcome
from wort_cli.commands.shared.jobs.job_record import JOB_FIELDS, job_record, member_record
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import Document
from wort_cli.commands.shared.showing.follow import DaemonWatch, follow
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.errors import DaemonNotRunning, UsageError
from wort_cli.ledger.jobs import JobFilter
from wort_cli.model.job import LIVE, JobState
from wort_cli.system.daemon_lock import running_daemon

DOCUMENT = Document(
    "wait",
    "The jobs that were waited for, as they ended.",
    rows="jobs",
    row=JOB_FIELDS,
    columns=("name", "state", "job", "reason", "path"),
)


def wait(
    jobs: JobsArgument = None,
    group: SelectGroupOption = "",
    everything: SelectAllOption = False,
    strict: StrictOption = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            min=0,
            help="Stop waiting after this time, with exit code 75 (default: never).",
        ),
    ] = None,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Wait until jobs have ended.

    The exit code is 1 if a job failed or was cancelled, 75 if some wait for a later retry, 3 if all are
    unavailable, 5 if a verification found a mismatch, else 0: a run that is unavailable is no failure.
    """
    settings, ledger = open_home_to_read()
    if sum(map(bool, (jobs, group, everything))) != 1:
        raise UsageError("no jobs are named", "give job numbers or names, a group (-g), or --all")
    if jobs:
        job_ids = find_job_ids(ledger, jobs)
    elif group:
        check_group(ledger, group)
        job_ids = ledger.jobs.ids(JobFilter(group=group))
    else:
        job_ids = [job_id for state in sorted(LIVE) for job_id in ledger.jobs.ids(JobFilter(state=state))]
        if not job_ids:
            render.notice("no job is queued, running or waiting")
    live = any(job.state.is_live for job in ledger.jobs.with_ids(job_ids))
    if live and running_daemon(settings.lock_file) is None:
        raise DaemonNotRunning
    if live:
        notice_differences(settings)
    ended = follow(ledger, job_ids, timeout, DaemonWatch(ledger, settings))
    form = Form.of(as_json=as_json)
    store = settings.store_dir
    stored = [member_record(member, group, store) for member in ledger.groups.stored_members(group)] if group else []
    records = [*(job_record(job, store) for job in ended), *stored]
    print_records(DOCUMENT, records, form, header=not no_header)
    outcome.explain_unsuccessful(ended, daemon_runs=running_daemon(settings.lock_file) is not None)
    outcome.exit_for_jobs(ended, [JobState.DONE] if stored else [], strict=strict)
